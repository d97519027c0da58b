#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <faultline/configuration_error.hpp>

#include "fuzz/check.hpp"
#include "fuzz/hostile_record.hpp"
#include "fuzz/input.hpp"
#include "fuzz/reference_text.hpp"
#include "fuzz/targets.hpp"
#include "syslog/message_queue.hpp"
#include "syslog/syslog_encoder.hpp"

namespace faultline::fuzz {
namespace {

using namespace detail;

/// Reads one message as RFC 5424, section 6 has it; what is not so is a finding.
class reader {
 public:
  explicit reader(std::string_view message) : rest_(message) { read(); }

  std::vector<std::string> header; ///< HOSTNAME, APP-NAME, PROCID, MSGID
  std::map<std::string, std::multimap<std::string, std::string>> elements;
  std::string_view body;

 private:
  void read();
  void read_element();
  void read_priority();
  void read_time(std::string_view time);
  std::string_view take(char end) {
    const std::size_t at = rest_.find(end);
    check(at != std::string_view::npos, "a part of the header ends");
    const std::string_view taken = rest_.substr(0, at);
    rest_.remove_prefix(at + 1);
    return taken;
  }
  std::string take_name(std::string_view ends) {
    const std::size_t at = rest_.find_first_of(ends);
    check(at != std::string_view::npos && at >= 1 && at <= 32, "an SD-NAME has 1 to 32 characters");
    std::string name(rest_.substr(0, at));
    check(is_printable(name) && name.find_first_of("=]\"") == std::string::npos, "an SD-NAME's characters");
    rest_.remove_prefix(at);
    return name;
  }
  static bool is_printable(std::string_view s) {
    return std::all_of(s.begin(), s.end(), [](char c) { return c > ' ' && c <= '~'; });
  }
  void expect(char c) {
    check(rest_.starts_with(c), "structured data has its ", std::string_view(&c, 1));
    rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

void reader::read_priority() {
  expect('<');
  const std::string priority(take('>'));
  check(!priority.empty() && priority.size() <= 3 &&
            priority.find_first_not_of("0123456789") == std::string::npos && std::stoi(priority) <= 191,
        "PRIVAL is a number up to 191");
  check(take(' ') == "1", "the version is 1");
}

void reader::read_time(std::string_view time) {
  if (time == "-") return;
  constexpr std::string_view shape = "0000-00-00T00:00:00.000000Z";
  check(time.size() == shape.size(), "a time stamp's size");
  for (std::size_t i = 0; i < shape.size(); ++i)
    check(shape[i] == '0' ? time[i] >= '0' && time[i] <= '9' : time[i] == shape[i], "a time stamp's form");
}

void reader::read_element() {
  expect('[');
  const std::string id = take_name(" ]");
  check(!elements.contains(id), "an SD-ID stands once in a message");
  auto& parameters = elements[id];
  while (!rest_.starts_with(']')) {
    expect(' ');
    const std::string name = take_name("=");
    expect('=');
    expect('"');
    std::string value;
    while (!rest_.starts_with('"')) {
      const bool escaped = rest_.starts_with('\\');
      if (escaped) rest_.remove_prefix(1);
      check(!rest_.empty() && (escaped || rest_.front() != ']'), "a value ends");
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    rest_.remove_prefix(1);
    check(test::is_clean(value), "a value is clean");
    parameters.emplace(name, value);
  }
  rest_.remove_prefix(1);
}

void reader::read() {
  read_priority();
  read_time(take(' '));
  constexpr std::array<std::size_t, 4> most{255, 48, 128, 32};
  for (const std::size_t size : most) {
    header.emplace_back(take(' '));
    check(!header.back().empty() && header.back().size() <= size && is_printable(header.back()),
          "a header field is printable and not too long");
  }
  if (rest_.starts_with('-'))
    rest_.remove_prefix(1);
  else
    do read_element();
    while (rest_.starts_with('['));
  expect(' ');
  body = rest_;
}

void check_value(const reader& message, const std::string& id, const std::string& name,
                 std::string_view text) {
  const auto element = message.elements.find(id);
  if (element == message.elements.end() || element->second.contains("omitted")) return; // there was no room
  const auto found = element->second.find(name);
  check(found != element->second.end() || text.empty(), "a parameter is there: ", name);
  if (!text.empty()) check_equal(found->second, reference_escaped(text), "a parameter reads back: ", name);
}

void check_body(std::string_view body, std::string_view text, const syslog_options& options) {
  if (options.byte_order_mark) {
    check(body.starts_with("\xEF\xBB\xBF"), "a byte order mark is there");
    body.remove_prefix(3);
  }
  const std::string whole = reference_escaped(text);
  check(test::is_clean(body), "MSG is clean");
  const std::size_t mark = body.rfind("... (");
  const bool cut = body != whole && mark != std::string_view::npos && body.ends_with(" bytes cut)");
  if (!cut)
    return check_equal(body, body.empty() ? std::string_view() : std::string_view(whole), "MSG reads back");
  check(whole.starts_with(body.substr(0, mark)), "what is kept of MSG is its beginning");
  check(std::stoul(std::string(body.substr(mark + 5))) == whole.size() - mark, "MSG says how much was cut");
}

syslog_options options_of(input& in) {
  syslog_options options;
  options.hostname = in.text();
  options.app_name = in.text();
  if (in.flag()) options.record_id = in.text();
  options.facility = static_cast<syslog_facility>(in.pick(26));
  options.sequence_id = in.flag();
  options.byte_order_mark = in.flag();
  options.max_message_bytes = in.flag() ? 470 + in.number<std::uint8_t>() : 0;
  return options;
}

/// What the kernel takes of a stream, in pieces of any size, and what a server reads out of it.
void check_framing(const std::vector<std::string>& messages, input& in) {
  message_queue queue;
  std::size_t bytes = 0;
  std::vector<message_queue::entry> entries;
  for (const std::string& text : messages) {
    entries.push_back({{text, 0}, true, {}});
    add_octet_count(entries.back().message);
    bytes += entries.back().message.text.size();
  }
  queue.add(std::move(entries), bytes);
  std::string stream;
  while (!queue.all_sent()) {
    std::array<::iovec, 2> parts{};
    std::string offered;
    for (std::size_t i = 0; i < queue.gather(parts); ++i)
      offered.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    const std::size_t taken = in.number<std::uint16_t>() % 700U;
    if (taken != 0) offered.resize(std::min(offered.size(), taken));
    queue.consume(offered.size(), {});
    stream += offered;
  }
  check(queue.waiting_bytes() == 0 && queue.kept_bytes() == bytes, "all bytes were taken");
  std::string_view rest = stream;
  for (const std::string& text : messages) {
    std::size_t size = 0;
    for (; !rest.empty() && rest.front() != ' '; rest.remove_prefix(1))
      size = size * 10 + static_cast<std::size_t>(rest.front() - '0');
    check(!rest.empty() && rest.size() > size, "a frame ends");
    check_equal(rest.substr(1, size), text, "a frame holds one message");
    rest.remove_prefix(size + 1);
  }
  check(rest.empty(), "nothing follows the frames");
}

} // namespace

int fuzz_syslog(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  const syslog_options options = options_of(in);
  std::vector<std::string> messages;
  const hostile_record hostile(in);
  const record_view& record = hostile.view();
  try {
    syslog_encoder encoder(options);
    messages.push_back(doctored(encoder.encode(record, record.text).text));
    messages.push_back(encoder.encode(hostile.dump(), record.level).text);
    for (const std::string& text : messages)
      check(text.size() <= encoder.max_message_bytes() + (expects_wrong ? 1U : 0U),
            "a message keeps its bound");
  } catch (const configuration_error& e) {
    check(!e.option().empty(), "a refusal names the option");
    return 0;
  }
  const reader read(messages[0]);
  check_value(read, options.record_id, "function", record.site->function);
  check_value(read, options.record_id, "logger", record.logger);
  if (record.scope != nullptr) check_value(read, options.record_id, "scope", record.scope->name);
  check_body(read.body, record.text, options);
  const reader read_dump(messages[1]);
  check(read_dump.header[3] == "dump", "a dump's MSGID");
  check_value(read_dump, options.record_id, "reason", hostile.dump().reason);
  check_framing(messages, in);
  return 0;
}

} // namespace faultline::fuzz
