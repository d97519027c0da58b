#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>
#include <faultline/scope.hpp>

#include "support/catch.hpp"
#include "support/gated_handler.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using namespace std::chrono_literals;
using test::gated_handler;
using test::numbered_records;

TEST_CASE("a handler that a scope's options name lives on when the background handler around it goes") {
  std::weak_ptr<handler> remains;
  scope_options options;
  {
    const handler_ptr inner = make_memory_handler();
    remains = inner;
    const handler_ptr h = make_background_handler(inner);
    options.target = inner;
  }
  CHECK_FALSE(remains.expired());
}

TEST_CASE("an inner handler whose thread may still be in it is nobody else's ever after") {
  const auto inner = std::make_shared<gated_handler>();
  {
    const handler_ptr h = make_background_handler(inner, {.finish_limit = 0ms});
    h->write(numbered_records(3).all());
    h->flush();
    inner->wait_for_one_that_hangs();
  }
  CHECK_THROWS_AS(make_background_handler(inner), configuration_error);
  inner->open();
  CHECK_THROWS_AS(make_background_handler(inner), configuration_error);
}

TEST_CASE("of two that want one handler at the same time one gets it") {
  for (int round = 0; round < 200; ++round) {
    const handler_ptr inner = make_memory_handler();
    std::atomic<int> ready{0};
    std::atomic<int> refused{0};
    const auto take = [&] {
      handler_ptr mine;
      ++ready;
      while (ready < 2) { // both at once
      }
      try {
        mine = make_background_handler(inner);
      } catch (const configuration_error&) {
        ++refused;
      }
      ++ready;
      while (ready < 4) std::this_thread::yield(); // or the one gives it back before the other asks
    };
    std::thread other(take);
    take();
    other.join();
    REQUIRE(refused == 1);
  }
}
