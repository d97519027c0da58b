#include "format/colored_formatter.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace faultline::detail {
namespace {

/// By level: trace and debug faint, warnings yellow, errors red, critical in bold red. The user's foreground
/// for information, which is most of what a console shows.
constexpr std::array<std::string_view, 7> colors = {"\x1b[2m",  "\x1b[2m",    "", "\x1b[33m",
                                                    "\x1b[31m", "\x1b[1;31m", ""};
constexpr std::string_view envelope_color = "\x1b[36m";
constexpr std::string_view reset = "\x1b[0m";

void append_line(std::string_view line, std::string_view color, std::string& out) {
  if (color.empty()) {
    out += line;
  } else {
    out += color;
    out += line;
    out += reset;
  }
  out += '\n';
}

class colored_formatter final : public formatter {
 public:
  explicit colored_formatter(formatter_ptr inner) : inner_(std::move(inner)) {}

  void format(const batch& records, std::string& out) const override;

 private:
  formatter_ptr inner_;
};

void colored_formatter::format(const batch& records, std::string& out) const {
  std::string text;
  inner_->format(records, text);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  const bool has_envelope = records.envelope() != nullptr && lines == records.size() + 2;
  if (!has_envelope && lines != records.size()) {
    out += text;
    return;
  }
  std::string_view rest = text;
  const auto next = [&rest] {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
  };
  if (has_envelope) append_line(next(), envelope_color, out);
  for (const record_view& r : records)
    append_line(next(), colors[std::min(static_cast<std::size_t>(r.level), colors.size() - 1)], out);
  if (has_envelope) append_line(next(), envelope_color, out);
}

} // namespace

formatter_ptr make_colored_formatter(formatter_ptr inner) {
  return std::make_shared<colored_formatter>(std::move(inner));
}

} // namespace faultline::detail
