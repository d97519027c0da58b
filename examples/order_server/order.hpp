// An order: read from JSON and checked against the catalogue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue.hpp"
#include "logging.hpp"

namespace shop {

struct order_line {
  std::string code;
  std::int64_t quantity = 0;
  const shop::article* article = nullptr; ///< set by check_order
};

struct order {
  std::uint64_t number = 0;
  std::string customer_number;
  std::string country_code;
  std::string delivery; ///< "standard" or "express"
  std::string coupon;   ///< empty: none
  std::vector<order_line> lines;
  const shop::customer* customer = nullptr; ///< set by check_order
  const shop::country* country = nullptr;   ///< set by check_order
};

/// The order in `body`, or nothing when that is no sound JSON of an order: the failure is logged.
[[nodiscard]] std::optional<order> read_order(progress& p, std::string_view body);

/// Finds the order's customer, country and articles. False when one of them is unknown or a quantity is out
/// of range: the failure is logged.
[[nodiscard]] bool check_order(progress& p, order& o);

} // namespace shop
