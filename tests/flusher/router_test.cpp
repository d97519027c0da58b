// The stays of handlers, and how long an answer about them holds.
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

#include "flusher/router.hpp"

using namespace faultline;
using faultline::detail::attachment;
using faultline::detail::attachment_list;
using faultline::detail::router;

namespace {

/// A logger of its own, with stays as the test says.
struct place {
  explicit place(attachment_list stays) : list(std::move(stays)) { logger.attachments.store(&list); }
  attachment_list list;
  detail::node logger;
};

std::vector<handler*> at(router& r, const place& p, std::uint32_t version, level l = level::info) {
  const auto found = r.route(p.logger, l, version);
  return {found.begin(), found.end()};
}

} // namespace

TEST_CASE(
    "a record goes to the handlers that stayed at its version, and a kept answer ends where a stay does") {
  const handler_ptr early = make_null_handler();
  const handler_ptr late = make_null_handler();
  const place p({{early.get(), level::trace, 0, 200}, {late.get(), level::trace, 100, attachment::no_end}});
  router r;
  using list = std::vector<handler*>;
  CHECK(at(r, p, 0) == list{early.get()});
  CHECK(at(r, p, 99) == list{early.get()});
  CHECK(at(r, p, 100) == list{early.get(), late.get()});
  CHECK(at(r, p, 199) == list{early.get(), late.get()});
  CHECK(at(r, p, 200) == list{late.get()});
  CHECK(at(r, p, 50) == list{early.get()}); // another thread's are earlier
}

TEST_CASE("a kept answer is for one level and one logger") {
  const handler_ptr errors = make_null_handler();
  const handler_ptr all = make_null_handler();
  const place one({{errors.get(), level::error, 0, attachment::no_end},
                   {all.get(), level::trace, 0, attachment::no_end}});
  const place other({});
  router r;
  using list = std::vector<handler*>;
  CHECK(at(r, one, 5, level::info) == list{all.get()});
  CHECK(at(r, one, 5, level::error) == list{errors.get(), all.get()});
  CHECK(at(r, other, 5, level::error).empty());
  CHECK(at(r, one, 5, level::error) == list{errors.get(), all.get()});
}

TEST_CASE("a handler that stays twice at once is one target") {
  const handler_ptr h = make_null_handler();
  const place p(
      {{h.get(), level::trace, 0, attachment::no_end}, {h.get(), level::info, 0, attachment::no_end}});
  router r;
  CHECK(at(r, p, 5).size() == 1);
}

TEST_CASE("what was asked before is asked again after forget") {
  const handler_ptr h = make_null_handler();
  place p({});
  router r;
  CHECK(at(r, p, 5).empty());
  const attachment_list changed{{h.get(), level::trace, 0, attachment::no_end}};
  p.logger.attachments.store(&changed);
  CHECK(at(r, p, 5).empty());
  r.forget();
  CHECK(at(r, p, 5).size() == 1);
}
