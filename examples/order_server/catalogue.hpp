// What the shop sells, and to whom.
#pragma once

#include <cstdint>
#include <string_view>

namespace shop {

using cents = std::int64_t;

struct article {
  std::string_view code;
  std::string_view name;
  cents unit_price;
  std::int64_t tax_percent;
  std::int64_t weight_grams;
  std::int64_t most_per_order; ///< pieces
  std::string_view warehouse;
};

struct customer {
  std::string_view number;
  std::string_view name;
  std::int64_t discount_permille;
  cents credit_limit;
};

/// A country that the shop delivers to.
struct country {
  std::string_view code;
  std::int64_t zone;       ///< of the carrier: 1 is the nearest
  bool pays_tax_elsewhere; ///< outside the union: no tax is charged
};

/// The entry of that code, or null. The entries live as long as the program.
[[nodiscard]] const article* find_article(std::string_view code) noexcept;
[[nodiscard]] const customer* find_customer(std::string_view number) noexcept;
[[nodiscard]] const country* find_country(std::string_view code) noexcept;

} // namespace shop
