#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "record/thread_names.hpp"
#include "support/catch.hpp"

using faultline::detail::thread_names;

TEST_CASE("a name has one id, whichever thread enters it") {
  const auto names = std::make_unique<thread_names>();
  std::vector<std::vector<std::uint32_t>> ids(4);
  {
    std::vector<std::jthread> threads;
    for (auto& own : ids)
      threads.emplace_back([&] {
        for (int n = 0; n < 1000; ++n) own.push_back(names->enter("thread " + std::to_string(n)));
      });
  }
  for (const auto& own : ids) CHECK(own == ids.front());
  for (std::size_t n = 0; n < 1000; ++n) {
    REQUIRE(ids.front()[n] != 0);
    REQUIRE(names->find(ids.front()[n]) == "thread " + std::to_string(n));
  }
}

TEST_CASE("no name has no id, and no id no name") {
  const auto names = std::make_unique<thread_names>();
  CHECK(names->enter("") == 0);
  CHECK(names->find(0).empty());
  CHECK(names->find(17).empty());
  CHECK(names->find(UINT32_MAX).empty());
}

TEST_CASE("a long name is cut where a character begins") {
  const auto names = std::make_unique<thread_names>();
  CHECK(names->find(names->enter(std::string(100, 'x'))) == std::string(63, 'x'));
  CHECK(names->find(names->enter(std::string(62, 'x') + "\u00e9tude")) == std::string(62, 'x'));
}

TEST_CASE("a name beyond the table's room is none, and those in it stay") {
  const auto names = std::make_unique<thread_names>();
  std::size_t entered = 0;
  for (std::size_t n = 0; n < thread_names::most_names + 10; ++n)
    entered += names->enter(std::to_string(n)) != 0 ? 1 : 0;
  CHECK(entered == thread_names::most_names);
  CHECK(names->find(names->enter("4711")) == "4711");
}

TEST_CASE("a long name that is not UTF-8 is cut at the bound") {
  const auto names = std::make_unique<thread_names>();
  CHECK(names->find(names->enter(std::string(100, '\x80'))) == std::string(63, '\x80'));
}
