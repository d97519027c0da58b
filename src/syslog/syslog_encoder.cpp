#include "syslog/syslog_encoder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <span>

#include <fmt/format.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "base/whole_characters.hpp"
#include "syslog/syslog_text.hpp"

namespace faultline::detail {
namespace {

// The bounds of RFC 5424, section 6.
constexpr std::size_t hostname_characters = 255;
constexpr std::size_t app_name_characters = 48;
constexpr std::size_t message_id_characters = 32;
constexpr std::size_t name_characters = 32;
constexpr std::size_t least_message_bytes = 480;  // what every receiver accepts
constexpr std::size_t most_message_bytes = 65507; // what a UDP datagram holds
constexpr std::uint32_t last_sequence_id = 2147483647;

std::string this_host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return name.data();
}

/// A header field from an option: what was set must be usable as it is, what was found is made so.
std::string header_field(std::string_view option, std::string_view set, std::string_view found,
                         std::size_t most) {
  const bool printable = std::all_of(set.begin(), set.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (set.size() > most || !printable)
    throw configuration_error(option, set, fmt::format("up to {} printable ASCII characters", most));
  std::string result;
  append_name(set.empty() ? found : set, most, {}, result);
  return result;
}

std::string checked_id(std::string_view option, std::string_view id) {
  const std::size_t at = id.find('@');
  const bool numbered = at != std::string_view::npos && at != 0 && at + 1 < id.size() &&
                        std::all_of(id.begin() + static_cast<std::ptrdiff_t>(at) + 1, id.end(),
                                    [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  std::string valid;
  append_name(id, name_characters, forbidden_in_names, valid);
  if (!numbered || valid != id)
    throw configuration_error(option, id,
                              "an SD-ID is NAME@NUMBER, up to 32 printable ASCII characters without '=', "
                              "']' and '\"', with a private enterprise number");
  return valid;
}

std::size_t checked_size(const syslog_options& options) {
  if (options.max_message_bytes == 0) return options.transport == syslog_transport::udp ? 2048 : 8192;
  if (options.max_message_bytes < least_message_bytes || options.max_message_bytes > most_message_bytes)
    throw configuration_error("max_message_bytes", std::to_string(options.max_message_bytes),
                              "480 to 65507, or 0 for the transport's default");
  return options.max_message_bytes;
}

unsigned checked_facility(syslog_facility facility) {
  const auto value = static_cast<unsigned>(facility);
  if (value > 23) throw configuration_error("facility", std::to_string(value), "0 to 23");
  return value;
}

std::string_view last_part(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string cut_mark(std::size_t bytes) { return fmt::format("... ({} bytes cut)", bytes); }

} // namespace

/// Structured data being written, within a bound.
class syslog_encoder::structured_data {
 public:
  /// Room for ` omitted="4294967295"]` is kept back.
  static constexpr std::size_t reserve_bytes = 24;

  /// Of `bytes`, `bytes_of_last` are kept for the last element, that of `add_fields`.
  structured_data(std::string& out, std::size_t bytes, std::size_t bytes_of_last)
      : out_(out), begin_(out.size()), last_end_(out.size() + bytes),
        end_(last_end_ - std::min(bytes, bytes_of_last)) {}

  /// What an element needs to say at least how much it omits.
  [[nodiscard]] static std::size_t least_bytes(std::string_view id) { return id.size() + 1 + reserve_bytes; }

  /// Begins an element; what follows goes into it. An element for which there is no room takes nothing.
  void begin(std::string_view id) {
    open_ = out_.size() + least_bytes(id) <= end_;
    omitted_ = 0;
    if (!open_) return;
    out_ += '[';
    out_ += id;
  }
  void add(std::string_view name, std::string_view value) {
    if (value.empty() || !open_) return;
    const std::size_t before = out_.size();
    out_ += ' ';
    append_name(name, name_characters, forbidden_in_names, out_);
    out_ += "=\"";
    append_parameter_value(value, out_);
    out_ += '"';
    if (out_.size() + reserve_bytes <= end_) return;
    out_.resize(before);
    ++omitted_;
  }
  void add(std::string_view name, std::uint64_t value) { add(name, std::to_string(value)); }
  void end() {
    if (!open_) return;
    if (omitted_ != 0) fmt::format_to(std::back_inserter(out_), " omitted=\"{}\"", omitted_);
    out_ += ']';
  }
  /// The last element, of the scope's own fields.
  void add_fields(std::string_view id, std::span<const context_field> fields) {
    if (fields.empty()) return;
    end_ = last_end_;
    begin(id);
    for (const context_field& f : fields) {
      if (f.value.empty()) add_empty(f.key);
      add(f.key, f.value);
    }
    end();
  }
  void close() {
    if (out_.size() == begin_) out_ += '-';
  }

 private:
  void add_empty(std::string_view name) {
    if (!open_) return;
    if (out_.size() + name_characters + 4 + reserve_bytes > end_) {
      ++omitted_;
      return;
    }
    out_ += ' ';
    append_name(name, name_characters, forbidden_in_names, out_);
    out_ += "=\"\"";
  }

  std::string& out_;
  const std::size_t begin_;
  const std::size_t last_end_;
  std::size_t end_;
  bool open_ = false;
  std::uint32_t omitted_ = 0;
};

unsigned syslog_severity(level l) noexcept {
  constexpr unsigned severities[] = {7, 7, 6, 4, 3, 2};
  return severities[std::min<std::size_t>(static_cast<std::size_t>(l), 5)];
}

void append_syslog_time(std::chrono::system_clock::time_point time, std::string& out) {
  using namespace std::chrono;
  const auto whole = floor<microseconds>(time);
  const auto day = floor<days>(whole);
  const year_month_day date(day);
  const int year = static_cast<int>(date.year());
  if (year < 1 || year > 9999) {
    out += '-';
    return;
  }
  const std::int64_t within = (whole - day).count();
  const std::int64_t second = within / 1'000'000;
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", year,
                 static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), second / 3600,
                 second / 60 % 60, second % 60, within % 1'000'000);
}

bool cut_message(syslog_message& message, std::size_t most) {
  if (message.text.size() <= most) return true;
  const std::size_t body = message.text.size() - message.body_at;
  const std::size_t mark = cut_mark(body).size(); // what is cut has no more digits
  if (message.body_at + mark > most) return false;
  const std::string_view all = message.text;
  const std::size_t kept =
      whole_characters(all.substr(message.body_at), most - mark - message.body_at).size();
  message.text.resize(message.body_at + kept);
  message.text += cut_mark(body - kept);
  return true;
}

void add_octet_count(syslog_message& message) {
  const std::string count = std::to_string(message.text.size()) + ' ';
  message.text.insert(0, count);
  message.body_at += count.size();
}

syslog_encoder::syslog_encoder(const syslog_options& options)
    : facility_(checked_facility(options.facility)),
      hostname_(header_field("hostname", options.hostname, this_host(), hostname_characters)),
      app_name_(
          header_field("app_name", options.app_name, ::program_invocation_short_name, app_name_characters)),
      process_(std::to_string(::getpid())), record_id_(checked_id("record_id", options.record_id)),
      fields_id_(checked_id("fields_id", options.fields_id)), numbered_(options.sequence_id),
      byte_order_mark_(options.byte_order_mark), max_bytes_(checked_size(options)) {
  if (record_id_ == fields_id_)
    throw configuration_error("fields_id", fields_id_, "an SD-ID stands once in a message: not record_id's");
}

void syslog_encoder::after_fork() {
  process_ = std::to_string(::getpid());
  sequence_ = 0;
}

syslog_message syslog_encoder::begin(level l, std::chrono::system_clock::time_point time,
                                     std::string_view message_id) const {
  syslog_message message;
  std::string& out = message.text;
  out.reserve(512);
  fmt::format_to(std::back_inserter(out), "<{}>1 ", facility_ * 8 + syslog_severity(l));
  append_syslog_time(time, out);
  fmt::format_to(std::back_inserter(out), " {} {} {} ", hostname_, app_name_, process_);
  append_name(message_id, message_id_characters, {}, out);
  out += ' ';
  return message;
}

/// Numbers go from 1 to the last one, and on from 1.
void syslog_encoder::skip(std::size_t messages) noexcept {
  const std::uint64_t after = std::uint64_t{sequence_} + messages % last_sequence_id;
  sequence_ = static_cast<std::uint32_t>(after > last_sequence_id ? after - last_sequence_id : after);
}

void syslog_encoder::add_meta(structured_data& data) {
  if (!numbered_) return;
  skip(1);
  data.begin("meta");
  data.add("sequenceId", std::uint64_t{sequence_});
  data.end();
}

void syslog_encoder::finish(syslog_message& message, std::string_view body) const {
  message.text += ' ';
  if (byte_order_mark_) message.text += "\xEF\xBB\xBF";
  message.body_at = message.text.size();
  append_clean(body, message.text);
  if (!cut_message(message, max_bytes_)) message.text.resize(message.body_at); // no room for any of it
}

/// The scope's fields have room at least for the number of those that have none.
syslog_encoder::structured_data syslog_encoder::begin_data(syslog_message& message, bool has_fields) const {
  return {message.text, (max_bytes_ - std::min(max_bytes_, message.text.size())) / 2,
          has_fields ? structured_data::least_bytes(fields_id_) : 0};
}

syslog_message syslog_encoder::encode(const record_view& r, std::string_view body) {
  syslog_message message = begin(r.level, r.time, r.logger);
  const bool has_fields = r.scope != nullptr && !r.scope->fields.empty();
  structured_data data = begin_data(message, has_fields);
  add_meta(data);
  data.begin(record_id_);
  data.add("logger", r.logger);
  data.add("thread", std::uint64_t{r.thread_id});
  if (!r.thread_name.empty()) data.add("thread_name", r.thread_name);
  if (!r.time_is_exact) data.add("time", "inexact");
  data.add("file", last_part(r.site->file));
  if (r.site->line != 0) data.add("line", std::uint64_t{r.site->line});
  data.add("function", r.site->function);
  if (r.dump_id != 0) data.add("dump_id", r.dump_id);
  if (r.scope != nullptr) {
    data.add("scope", r.scope->name);
    data.add("trace_id", r.scope->trace_id);
    data.add("span_id", r.scope->span_id);
  }
  data.end();
  if (r.scope != nullptr) data.add_fields(fields_id_, r.scope->fields);
  data.close();
  finish(message, body);
  return message;
}

syslog_message syslog_encoder::encode(const dump_envelope& dump, level worst) {
  syslog_message message = begin(worst, dump.start, "dump");
  structured_data data = begin_data(message, !dump.scope.fields.empty());
  add_meta(data);
  data.begin(record_id_);
  data.add("dump_id", dump.id);
  data.add("scope", dump.scope.name);
  data.add("logger", dump.logger);
  data.add("thread", std::uint64_t{dump.thread_id});
  if (!dump.thread_name.empty()) data.add("thread_name", dump.thread_name);
  data.add("duration_us", std::to_string(dump.duration.count() / 1000));
  data.add("trigger", to_string(dump.trigger));
  data.add("reason", dump.reason);
  data.add("records", std::uint64_t{dump.records});
  data.add("forgotten", dump.forgotten);
  data.add("truncated", std::uint64_t{dump.truncated});
  if (dump.lost_contexts != 0) data.add("lost_contexts", dump.lost_contexts);
  data.add("trace_id", dump.scope.trace_id);
  data.add("span_id", dump.scope.span_id);
  data.end();
  data.add_fields(fields_id_, dump.scope.fields);
  data.close();
  std::string body = fmt::format("dump {}", dump.id);
  if (!dump.scope.name.empty()) body += fmt::format(" of {}", dump.scope.name);
  body += fmt::format(": {} records, {} forgotten, trigger {}", dump.records, dump.forgotten,
                      to_string(dump.trigger));
  if (!dump.reason.empty()) body += fmt::format(" ({})", dump.reason);
  finish(message, body);
  return message;
}

} // namespace faultline::detail
