// Entries in the journal's native serialisation: https://systemd.io/JOURNAL_NATIVE_PROTOCOL.
//
//   NAME=value\n                                  where the value has no line end
//   NAME\n<size, 64 bits, little endian>value\n   where it has
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <faultline/journald.hpp>

namespace faultline::detail {

/// Appends one field. `name` must be valid.
void append_journal_field(std::string_view name, std::string_view value, std::string& out);

/// The journal's field name for a scope's key: never empty, never one that faultline sets itself.
[[nodiscard]] std::string journal_field_name(std::string_view key);

/// Syslog's severity of a level.
[[nodiscard]] unsigned journal_priority(level l) noexcept;

/// Flusher thread only.
class journal_encoder {
 public:
  /// Throws `configuration_error` for an option that cannot be used.
  explicit journal_encoder(const journald_options& options);

  /// `body` is MESSAGE.
  [[nodiscard]] std::string encode(const record_view& record, std::string_view body) const;
  /// The entry before a dump's records; `worst` is the gravest level among them.
  [[nodiscard]] std::string encode(const dump_envelope& dump, level worst) const;

 private:
  void begin(level l, std::string& out) const;
  void append_context(const scope_context& scope, std::string& out) const;
  void append_bounded_message(std::string_view body, std::string& out) const;

  std::string identifier_;
  const std::size_t max_bytes_;
};

} // namespace faultline::detail
