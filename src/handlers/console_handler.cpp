#include "handlers/console_handler.hpp"

#include <cstdlib>
#include <memory>
#include <string_view>

#include <unistd.h>

#include "format/colored_formatter.hpp"
#include "handlers/stream_handler.hpp"

namespace faultline {
namespace detail {
namespace {

bool is_set(const char* value) noexcept { return value != nullptr && *value != '\0'; }

bool is_zero(const char* value) noexcept { return value != nullptr && std::string_view(value) == "0"; }

} // namespace

bool wants_color(color_mode mode, const console_facts& facts) noexcept {
  if (mode != color_mode::automatic) return mode == color_mode::always;
  if (is_set(facts.no_color)) return false;
  for (const char* force : {facts.force_color, facts.clicolor_force})
    if (is_set(force) && !is_zero(force)) return true;
  if (is_zero(facts.clicolor) || is_zero(facts.force_color)) return false;
  return facts.is_terminal && is_set(facts.term) && std::string_view(facts.term) != "dumb";
}

} // namespace detail

handler_ptr make_console_handler(console_options options) {
  const int descriptor = detail::descriptor_of(options.stream);
  formatter_ptr text = make_text_formatter(options.pattern, {.envelope = options.envelope});
  const detail::console_facts facts = {.is_terminal = ::isatty(descriptor) == 1,
                                       .no_color = std::getenv("NO_COLOR"),
                                       .force_color = std::getenv("FORCE_COLOR"),
                                       .clicolor_force = std::getenv("CLICOLOR_FORCE"),
                                       .clicolor = std::getenv("CLICOLOR"),
                                       .term = std::getenv("TERM")};
  if (detail::wants_color(options.color, facts)) text = detail::make_colored_formatter(std::move(text));
  auto h = std::make_shared<detail::stream_handler>(descriptor, detail::calls_without_waiting());
  h->set_formatter(std::move(text));
  return h;
}

} // namespace faultline
