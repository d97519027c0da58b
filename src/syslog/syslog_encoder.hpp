// From records to RFC 5424 messages, without framing.
//
//   <PRIVAL>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [meta …][record …][fields …] MSG
//                                                      structured data: at most half of what is left
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <faultline/syslog.hpp>

namespace faultline::detail {

/// The message, and where its MSG begins: what is before that cannot be cut.
struct syslog_message {
  std::string text;
  std::size_t body_at = 0;
};

/// RFC 5424's SEVERITY of a level.
[[nodiscard]] unsigned syslog_severity(level l) noexcept;

/// Appends RFC 5424's TIMESTAMP: UTC with microseconds, rounded down; "-" beyond the years 1 to 9999.
void append_syslog_time(std::chrono::system_clock::time_point time, std::string& out);

/// Cuts the message to at most `most` bytes, between characters, and says so at its end. False, and the
/// message as it was, where not even the mark would fit behind the structured data.
[[nodiscard]] bool cut_message(syslog_message& message, std::size_t most);

/// Flusher thread only.
class syslog_encoder {
 public:
  /// Throws `configuration_error` for names, SD-IDs, facilities and sizes that RFC 5424 does not allow.
  explicit syslog_encoder(const syslog_options& options);

  /// `body` is MSG, not escaped yet.
  [[nodiscard]] syslog_message encode(const record_view& record, std::string_view body);
  /// The message before a dump's records; `worst` is the gravest level among them.
  [[nodiscard]] syslog_message encode(const dump_envelope& dump, level worst);

  /// Leaves out the numbers of so many messages that are lost before they are made.
  void skip(std::size_t messages) noexcept;

  /// The child of a fork is another process, and its messages are numbered from one.
  void after_fork();

  [[nodiscard]] std::size_t max_message_bytes() const noexcept { return max_bytes_; }

 private:
  class structured_data;
  [[nodiscard]] syslog_message begin(level l, std::chrono::system_clock::time_point time,
                                     std::string_view message_id) const;
  [[nodiscard]] structured_data begin_data(syslog_message& message, bool has_fields) const;
  void add_meta(structured_data& data);
  void finish(syslog_message& message, std::string_view body) const;

  const unsigned facility_;
  std::string hostname_;
  std::string app_name_;
  std::string process_;
  const std::string record_id_;
  const std::string fields_id_;
  const bool numbered_;
  const bool byte_order_mark_;
  const std::size_t max_bytes_;
  std::uint32_t sequence_ = 0;
};

} // namespace faultline::detail
