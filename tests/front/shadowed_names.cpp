// A program that is compiled with -Wshadow -Werror and has globals of the names that faultline's headers use
// for parameters: declared before its headers, with LATE behind them. With CONTROL a name is shadowed indeed.
#ifdef LATE
#include <faultline/configuration.hpp>
#include <faultline/faultline.hpp>
#include <faultline/ostream.hpp>
#endif

struct owner_of_names {};
inline owner_of_names lg, logger, scope, r, level, options, name, value, at, site, args, record, handler,
    runtime, h, f, g, predicate, message, data, size, text, capture, wire, where, gate, cursor, out, result,
    count, key, field, batch, formatter, node, bytes, first, inner, each, visitor, object, self, extra,
    secret, kv, interval, condition, l, n, i, c, s, p, v, a, t, e, b;

#ifndef LATE
#include <faultline/configuration.hpp>
#include <faultline/faultline.hpp>
#include <faultline/ostream.hpp>
#endif

namespace shop {
struct price {
  int cents;
  double tax;
};
} // namespace shop
FAULTLINE_FIELDS(shop::price, cents, tax);

constexpr int twice(int order) {
  FAULTLINE_DEBUG(faultline::get_logger(), "{}", order);
  return 2 * order;
}

/// Statements in each other's arguments, by the name of no variable of theirs.
int run_within(int order) {
  static const auto own = faultline::get_logger("shop");
  using faultline::level::info;
  FAULTLINE_INFO(own, "{}", [&] {
    FAULTLINE_INFO(own, "{}", order);
    FAULTLINE_LOG_EVERY(own, info, std::chrono::seconds(1), "{}", [&] {
      FAULTLINE_LOG_EVERY(own, info, std::chrono::seconds(1), "{}", order);
      return order;
    }());
    FAULTLINE_STREAM(own, info) << [&] {
      FAULTLINE_STREAM(own, info) << order;
      return order;
    }();
    return order;
  }());
  const auto careful = [&] {
    FAULTLINE_SCOPE(own);
    return [&] {
      FAULTLINE_SCOPE(own);
      return twice(order);
    }();
  };
  return careful();
}

int run(int order) {
  static const auto own = faultline::get_logger("shop");
  FAULTLINE_SCOPE(own, .name = "order", .capacity = 10);
  {
    FAULTLINE_SCOPE(own);
    faultline::error_scope inner_scope(own, {.name = "price"});
    inner_scope.field("order", order);
    FAULTLINE_DEBUG(own, "{} {} {}", order, "text", shop::price{1, 2});
  }
  using faultline::level::info;
  FAULTLINE_LOG(own, info, "{order}", faultline::kv<"order">(order));
  FAULTLINE_LOG_IF(own, info, order > 0, "{}", faultline::secret(order));
  FAULTLINE_LOG_EVERY_N(own, info, 3, "{}", faultline::hex("abc", 3));
  FAULTLINE_LOG_EVERY(own, info, std::chrono::seconds(1), "{}", std::string("text"));
  FAULTLINE_LOG_ONCE(own, info, "once");
  FAULTLINE_STREAM(own, info) << order;
  FAULTLINE_EXCEPTION(own, "caught");
  faultline::get_logger("shop").add_handler(
      faultline::make_callback_handler([](const faultline::record_view&) {}));
  const auto careful = faultline::log_if_errors(own, {.capacity = 5}).fails_when([](int found) {
    return found < 0;
  })([](int found) { return found; });
#ifdef CONTROL
  const int lg = order;
  return lg;
#else
  return careful(order);
#endif
}
