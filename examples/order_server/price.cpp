#include "price.hpp"

#include <algorithm>

namespace shop {
namespace {

/// `amount * part / whole`, halves rounded away from zero.
constexpr cents share(cents amount, std::int64_t part, std::int64_t whole) noexcept {
  const cents product = amount * part;
  return (product + (product < 0 ? -whole : whole) / 2) / whole;
}

constexpr std::int64_t volume_discount_permille(std::int64_t quantity) noexcept {
  if (quantity >= 100) return 120;
  if (quantity >= 25) return 70;
  return quantity >= 10 ? 30 : 0;
}

struct priced_line {
  cents goods;
  cents tax;
};

priced_line price_line(progress& p, std::size_t number, const order_line& line, const order& o) {
  const article& a = *line.article;
  const cents amount = a.unit_price * line.quantity;
  SHOP_STEP(p, price_logger, "line {}: {} x {} cents = {} cents", number, line.quantity, a.unit_price,
            amount);
  const std::int64_t permille =
      std::max(volume_discount_permille(line.quantity), o.customer->discount_permille);
  const cents discount = share(amount, permille, 1000);
  SHOP_STEP(p, price_logger, "line {}: discount of {} per mille = {} cents", number, permille, discount);
  const cents goods = amount - discount;
  const std::int64_t tax_percent = o.country->pays_tax_elsewhere ? 0 : a.tax_percent;
  const cents tax = share(goods, tax_percent, 100);
  SHOP_STEP(p, price_logger, "line {}: {} % tax on {} cents = {} cents", number, tax_percent, goods, tax);
  return {goods, tax};
}

cents coupon_value(progress& p, const order& o, cents goods) {
  if (o.coupon.empty()) return 0;
  const cents value = o.coupon == "SPRING" ? share(goods, 5, 100) : 0;
  SHOP_STEP(p, price_logger, "coupon {}: {} cents", o.coupon, value);
  return value;
}

cents shipping_price(progress& p, const order& o, std::int64_t weight_grams) {
  const std::int64_t kilogrammes = (weight_grams + 999) / 1000;
  cents price = 390 + 60 * kilogrammes * o.country->zone;
  if (o.delivery == "express") price = share(price, 17, 10);
  SHOP_STEP(p, price_logger, "shipping {} g to zone {}, {}: {} cents", weight_grams, o.country->zone,
            o.delivery, price);
  return price;
}

} // namespace

invoice price_order(progress& p, const order& o) {
  invoice i;
  std::size_t number = 0;
  for (const order_line& line : o.lines) {
    const priced_line priced = price_line(p, ++number, line, o);
    i.goods += priced.goods;
    i.tax += priced.tax;
    i.weight_grams += line.quantity * line.article->weight_grams;
  }
  SHOP_STEP(p, price_logger, "goods {} cents, tax {} cents, {} g", i.goods, i.tax, i.weight_grams);
  const cents coupon = coupon_value(p, o, i.goods);
  i.tax -= share(i.tax, coupon, std::max<cents>(i.goods, 1));
  i.goods -= coupon;
  i.shipping = shipping_price(p, o, i.weight_grams);
  i.total = i.goods + i.tax + i.shipping;
  SHOP_STEP(p, price_logger, "total {} cents", i.total);
  return i;
}

} // namespace shop
