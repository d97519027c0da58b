#include "order.hpp"

#include <nlohmann/json.hpp>

namespace shop {
namespace {

using nlohmann::json;

order_line read_line(progress& p, std::size_t number, const json& from) {
  order_line line;
  line.code = from.at("article").get_ref<const std::string&>();
  line.quantity = from.at("quantity").get_ref<const json::number_integer_t&>();
  SHOP_STEP(p, order_logger, "line {}: article {} quantity {}", number, line.code, line.quantity);
  return line;
}

order read_fields(progress& p, const json& from) {
  order o;
  o.number = from.at("order").get<std::uint64_t>();
  o.customer_number = from.at("customer").get_ref<const std::string&>();
  o.country_code = from.at("country").get_ref<const std::string&>();
  o.delivery = from.at("delivery").get_ref<const std::string&>();
  o.coupon = from.value("coupon", std::string{});
  const json& lines = from.at("lines");
  SHOP_STEP(p, order_logger, "order {} of customer {} to {}: {} lines", o.number, o.customer_number,
            o.country_code, lines.size());
  o.lines.reserve(lines.size());
  for (const json& line : lines) o.lines.push_back(read_line(p, o.lines.size() + 1, line));
  return o;
}

bool check_line(progress& p, std::size_t number, order_line& line) {
  line.article = find_article(line.code);
  if (line.article == nullptr) {
    SHOP_FAILURE(p, order_logger, "line {}: article {} is not in the catalogue", number, line.code);
    return false;
  }
  if (line.quantity < 1 || line.quantity > line.article->most_per_order) {
    SHOP_FAILURE(p, order_logger, "line {}: quantity {} of {} is not from 1 to {}", number, line.quantity,
                 line.code, line.article->most_per_order);
    return false;
  }
  SHOP_STEP(p, order_logger, "line {}: {} is \"{}\", at most {} an order", number, line.code,
            line.article->name, line.article->most_per_order);
  return true;
}

} // namespace

std::optional<order> read_order(progress& p, std::string_view body) {
  SHOP_STEP(p, order_logger, "received {} bytes", body.size());
  try {
    const json parsed = json::parse(body);
    SHOP_STEP(p, order_logger, "parsed {} fields", parsed.size());
    return read_fields(p, parsed);
  } catch (const json::exception& e) {
    SHOP_FAILURE(p, order_logger, "malformed order: {}", e.what());
    return std::nullopt;
  }
}

bool check_order(progress& p, order& o) {
  o.customer = find_customer(o.customer_number);
  if (o.customer == nullptr) {
    SHOP_FAILURE(p, order_logger, "customer {} is unknown", o.customer_number);
    return false;
  }
  SHOP_STEP(p, order_logger, "customer {} is \"{}\" with a discount of {} per mille", o.customer_number,
            o.customer->name, o.customer->discount_permille);
  o.country = find_country(o.country_code);
  if (o.country == nullptr || (o.delivery != "standard" && o.delivery != "express")) {
    SHOP_FAILURE(p, order_logger, "no {} delivery to {}", o.delivery, o.country_code);
    return false;
  }
  SHOP_STEP(p, order_logger, "{} delivery to {} in zone {}", o.delivery, o.country_code, o.country->zone);
  std::size_t number = 0;
  for (order_line& line : o.lines)
    if (!check_line(p, ++number, line)) return false;
  return true;
}

} // namespace shop
