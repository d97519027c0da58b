// Two ways to log types of one's own. A plain struct lists its fields and goes into records as raw bytes; any
// other type with an fmt formatter is formatted where it is logged, so that nothing of it need outlive the
// statement.
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <faultline/faultline.hpp>

namespace shop {

/// Trivially copyable, with public fields: a copy of it is what the record holds.
struct price {
  std::int64_t cents;
  std::uint32_t tax_percent;
};

/// Fields may be types that list fields themselves.
struct line {
  std::uint32_t article;
  std::uint32_t quantity;
  price each;
};

/// Owns memory, so it cannot be copied byte by byte.
struct basket {
  std::string customer;
  std::vector<line> lines;
};

} // namespace shop

FAULTLINE_FIELDS(shop::price, cents, tax_percent);
FAULTLINE_FIELDS(shop::line, article, quantity, each);

template <> struct fmt::formatter<shop::basket> : fmt::formatter<std::string_view> {
  template <class Context> auto format(const shop::basket& b, Context& context) const {
    return fmt::formatter<std::string_view>::format(fmt::format("{}'s {} lines", b.customer, b.lines.size()),
                                                    context);
  }
};

int main() {
  const faultline::handler_ptr target = faultline::make_stream_handler(stdout);
  target->set_formatter(faultline::make_text_formatter("{level:<7} {message}", {.envelope = false}));
  faultline::start({.default_target = target});
  faultline::logger logger = faultline::get_logger("shop");

  const shop::basket basket{"Ada", {{7, 2, {1999, 19}}, {12, 1, {450, 7}}}};
  FAULTLINE_SCOPE(logger, .name = "basket");
  FAULTLINE_DEBUG(logger, "looking at {}", basket); // formatted here
  for (const shop::line& l : basket.lines) {
    FAULTLINE_DEBUG(logger, "line {}", l); // copied here, formatted by the flusher, if ever
    FAULTLINE_DEBUG(logger, "price [{:>30}]", l.each);
  }
  FAULTLINE_ERROR(logger, "no stock for {}", basket.lines.back());
}

// Outputs:
// DEBUG   looking at Ada's 2 lines
// DEBUG   line {article=7, quantity=2, each={cents=1999, tax_percent=19}}
// DEBUG   price [  {cents=1999, tax_percent=19}]
// DEBUG   line {article=12, quantity=1, each={cents=450, tax_percent=7}}
// DEBUG   price [    {cents=450, tax_percent=7}]
// ERROR   no stock for {article=12, quantity=1, each={cents=450, tax_percent=7}}
