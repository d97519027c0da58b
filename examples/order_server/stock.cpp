#include "stock.hpp"

#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace shop {
namespace {

/// Stands for a call over the network; the island is always out of reach.
void call_warehouse(std::string_view name) {
  if (name == "island") throw std::system_error(std::make_error_code(std::errc::timed_out), "connect");
}

} // namespace

void reserve_stock(progress& p, const order& o) {
  std::size_t number = 0;
  for (const order_line& line : o.lines) {
    ++number;
    try {
      call_warehouse(line.article->warehouse);
    } catch (const std::system_error&) {
      std::throw_with_nested(std::runtime_error(
          fmt::format("line {}: warehouse {} does not answer", number, line.article->warehouse)));
    }
    SHOP_STEP(p, order_logger, "line {}: {} pieces of {} reserved in warehouse {}", number, line.quantity,
              line.code, line.article->warehouse);
  }
}

} // namespace shop
