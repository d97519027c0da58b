#include "shop.hpp"

#include <exception>

#include <fmt/format.h>

#include "logging.hpp"
#include "price.hpp"
#include "stock.hpp"

namespace shop {
namespace {

bool has_credit(progress& p, const order& o, const invoice& i) {
  if (i.total > o.customer->credit_limit) {
    SHOP_FAILURE(p, order_logger, "{} cents are beyond the credit limit of {} cents", i.total,
                 o.customer->credit_limit);
    return false;
  }
  SHOP_STEP(p, order_logger, "{} cents are within the credit limit of {} cents", i.total,
            o.customer->credit_limit);
  return true;
}

answer refused() { return {500, "{\"error\": \"this order cannot be taken\"}\n"}; }

answer try_order(progress& p, std::string_view body) {
  std::optional<order> o = read_order(p, body);
  if (!o || !check_order(p, *o)) return refused();
  const invoice i = price_order(p, *o);
  if (!has_credit(p, *o, i)) return refused();
  reserve_stock(p, *o);
  answer accepted{
      200, fmt::format("{{\"order\": {}, \"goods\": {}, \"tax\": {}, \"shipping\": {}, \"total\": {}}}\n",
                       o->number, i.goods, i.tax, i.shipping, i.total)};
  SHOP_STEP(p, order_logger, "order {} is taken", o->number);
  return accepted;
}

} // namespace

answer take_order(std::uint64_t request, std::string_view body, std::string_view traceparent) {
  progress p{request};
  request_scope scope(p, traceparent);
  try {
    return try_order(p, body);
  } catch (...) {
    scope.fail_with_current_exception();
    return {503, "{\"error\": \"try again later\"}\n"};
  }
}

} // namespace shop
