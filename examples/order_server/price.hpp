// What an order costs, in integer cents.
#pragma once

#include "order.hpp"

namespace shop {

struct invoice {
  cents goods = 0; ///< after discounts
  cents shipping = 0;
  cents tax = 0;
  cents total = 0;
  std::int64_t weight_grams = 0;
};

/// The price of an order that check_order accepted.
[[nodiscard]] invoice price_order(progress& p, const order& o);

} // namespace shop
