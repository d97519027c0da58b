// The warehouses, which the shop reaches over a network that is not always there.
#pragma once

#include "order.hpp"

namespace shop {

/// Reserves every line of an order. Throws std::runtime_error, with the cause nested in it, when a warehouse
/// does not answer.
void reserve_stock(progress& p, const order& o);

} // namespace shop
