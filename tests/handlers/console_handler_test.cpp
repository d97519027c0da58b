#include "handlers/console_handler.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "format/colored_formatter.hpp"
#include "support/catch.hpp"
#include "support/sample_records.hpp"
#include "support/temporary_directory.hpp"

using namespace faultline;
using test::contains;
using test::contents;
using test::sample_record;
using test::temporary_directory;

namespace {

struct closer {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using file_ptr = std::unique_ptr<std::FILE, closer>;

/// The environment's words on colours, as given; what was there is put back.
class environment {
 public:
  explicit environment(std::initializer_list<std::pair<const char*, const char*>> wanted) {
    for (const char* name : names) {
      const char* present = std::getenv(name);
      before_.emplace_back(name, present != nullptr ? present : "");
      ::unsetenv(name);
    }
    for (const auto& [name, value] : wanted) ::setenv(name, value, 1);
  }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment() {
    for (const auto& [name, value] : before_)
      if (value.empty())
        ::unsetenv(name);
      else
        ::setenv(name, value.c_str(), 1);
  }

 private:
  static constexpr std::array names = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM"};
  std::vector<std::pair<const char*, std::string>> before_;
};

/// A terminal of one's own: what is written to `stream` comes out of `read`.
class pseudo_terminal {
 public:
  pseudo_terminal() {
    int slave = -1;
    REQUIRE(::openpty(&master_, &slave, nullptr, nullptr, nullptr) == 0);
    stream.reset(::fdopen(slave, "w"));
    REQUIRE(stream);
    REQUIRE(::fcntl(master_, F_SETFL, O_NONBLOCK) == 0);
  }
  pseudo_terminal(const pseudo_terminal&) = delete;
  pseudo_terminal& operator=(const pseudo_terminal&) = delete;
  ~pseudo_terminal() { ::close(master_); }

  /// All there is to read, with the terminal's line ends made plain.
  std::string read() const {
    std::string text;
    char buffer[4096];
    for (::ssize_t n; (n = ::read(master_, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    std::erase(text, '\r');
    return text;
  }
  void type(char c) const { REQUIRE(::write(master_, &c, 1) == 1); }
  /// The terminal looks at what was typed in its own time.
  void wait_until_stopped() const {
    ::pollfd slave{::fileno(stream.get()), POLLOUT, 0};
    while (::poll(&slave, 1, 0) > 0) std::this_thread::yield();
  }

  file_ptr stream;

 private:
  int master_ = -1;
};

/// What a console handler makes of one error on a terminal.
std::string shown(color_mode mode) {
  const pseudo_terminal terminal;
  const handler_ptr h =
      make_console_handler({.stream = terminal.stream.get(), .color = mode, .pattern = "{message}"});
  const record_view r = sample_record("no stock", level::error);
  h->write(batch({&r, 1}));
  h->flush();
  return terminal.read();
}

} // namespace

TEST_CASE("a terminal shows errors in red, and a file has plain text") {
  const environment e{{"TERM", "xterm"}};
  CHECK(shown(color_mode::automatic) == "\x1b[31mno stock\x1b[0m\n");
  CHECK(shown(color_mode::never) == "no stock\n");
  const temporary_directory dir;
  const file_ptr file(std::fopen(dir.file("out").c_str(), "w"));
  REQUIRE(file);
  const record_view r = sample_record("no stock", level::error);
  for (const color_mode mode : {color_mode::automatic, color_mode::always}) {
    const handler_ptr h = make_console_handler({.stream = file.get(), .color = mode, .pattern = "{message}"});
    h->write(batch({&r, 1}));
    h->flush();
  }
  CHECK(contents(dir.file("out")) == "no stock\n\x1b[31mno stock\x1b[0m\n");
}

TEST_CASE("the environment is asked when the handler is made") {
  {
    const environment e{{"TERM", "dumb"}};
    CHECK(shown(color_mode::automatic) == "no stock\n");
    CHECK_THAT(shown(color_mode::always), contains("\x1b[31m"));
  }
  const environment e{{"TERM", "xterm"}, {"NO_COLOR", "1"}};
  CHECK(shown(color_mode::automatic) == "no stock\n");
}

TEST_CASE("who decides about colours") {
  using detail::console_facts;
  const auto wants = [](const console_facts& f) { return detail::wants_color(color_mode::automatic, f); };
  CHECK(wants({.is_terminal = true, .term = "xterm"}));
  CHECK_FALSE(wants({.is_terminal = false, .term = "xterm"}));
  CHECK_FALSE(wants({.is_terminal = true}));
  CHECK_FALSE(wants({.is_terminal = true, .term = "dumb"}));
  CHECK_FALSE(wants({.is_terminal = true, .no_color = "0", .term = "xterm"})); // any value that is not empty
  CHECK(wants({.is_terminal = true, .no_color = "", .term = "xterm"}));
  CHECK(wants({.is_terminal = false, .force_color = "1"}));
  CHECK(wants({.is_terminal = false, .clicolor_force = "1"}));
  CHECK_FALSE(wants({.is_terminal = false, .clicolor_force = "0", .term = "xterm"}));
  CHECK_FALSE(wants({.is_terminal = true, .force_color = "0", .term = "xterm"}));
  CHECK_FALSE(wants({.is_terminal = true, .clicolor = "0", .term = "xterm"}));
  CHECK_FALSE(wants({.is_terminal = true, .no_color = "1", .force_color = "1", .term = "xterm"}));
  CHECK(detail::wants_color(color_mode::always, {.no_color = "1"}));
  CHECK_FALSE(
      detail::wants_color(color_mode::never, {.is_terminal = true, .force_color = "1", .term = "xterm"}));
}

TEST_CASE("each level and the envelope have their colour, and a reset before each line's end") {
  const formatter_ptr f = detail::make_colored_formatter(make_text_formatter("{level}"));
  const auto line = [&](level l) { return test::format_one(f, sample_record("", l)); };
  CHECK(line(level::trace) == "\x1b[2mTRACE\x1b[0m\n");
  CHECK(line(level::info) == "INFO\n");
  CHECK(line(level::warning) == "\x1b[33mWARNING\x1b[0m\n");
  CHECK(line(level::critical) == "\x1b[1;31mCRITICAL\x1b[0m\n");
  dump_envelope d;
  d.id = 17;
  const std::string dump = test::format_one(f, sample_record("", level::error), &d);
  CHECK_THAT(dump, contains("\x1b[0m\n\x1b[31mERROR\x1b[0m\n\x1b[36m--- end of dump 17\x1b[0m\n"));
  CHECK(dump.starts_with("\x1b[36m--- dump 17 "));
}

TEST_CASE("a message cannot drive the terminal") {
  const formatter_ptr f = detail::make_colored_formatter(make_text_formatter("{message}"));
  CHECK(test::format_one(f, sample_record("\x1b[2J\x9b\n\x1b]0;title\a", level::error)) ==
        "\x1b[31m\\x1b[2J\\x9b\\n\\x1b]0;title\\x07\x1b[0m\n");
}

TEST_CASE("text that is not a line for each record stays as it is") {
  class two_lines final : public formatter {
    void format(const batch&, std::string& out) const override { out += "one\ntwo\n"; }
  };
  const formatter_ptr f = detail::make_colored_formatter(std::make_shared<two_lines>());
  CHECK(test::format_one(f, sample_record("", level::error)) == "one\ntwo\n");
}

TEST_CASE("a terminal that its user stopped holds up nobody and misses nothing") {
  const environment e{{"TERM", "xterm"}};
  const pseudo_terminal terminal;
  const handler_ptr h = make_console_handler(
      {.stream = terminal.stream.get(), .color = color_mode::never, .pattern = "{message}"});
  terminal.type('\x13'); // Control-S
  terminal.wait_until_stopped();
  const test::numbered_records records(3);
  h->write(records.all());
  h->flush(); // does not wait
  CHECK(h->pending());
  terminal.type('\x11'); // Control-Q
  std::string text;
  while (text.size() < records.text().size()) {
    h->flush();
    text += terminal.read();
  }
  CHECK_THAT(text, contains("record 0\nrecord 1.\nrecord 2..\n"));
  CHECK(h->lost() == 0);
}

TEST_CASE("a terminal that nobody reads any more holds up nobody and misses nothing") {
  const pseudo_terminal terminal;
  const handler_ptr h = make_console_handler(
      {.stream = terminal.stream.get(), .color = color_mode::never, .pattern = "{message}"});
  std::atomic<bool> done{false};
  std::atomic<bool> held_up{false};
  std::string text;
  // Who is held up is let go after five seconds, or the test would never end.
  std::thread rescuer([&] {
    for (int i = 0; i < 500 && !done; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    held_up = !done;
    while (!done) text += terminal.read();
  });
  constexpr std::size_t count = 3000;
  const std::string message(100, 'x');
  const record_view r = sample_record(message, level::error);
  for (std::size_t i = 0; i < count; ++i) { // far more than a terminal keeps
    h->write(batch({&r, 1}));
    h->flush();
  }
  done = true;
  rescuer.join();
  CHECK_FALSE(held_up);
  CHECK(h->pending());
  while (h->pending()) {
    text += terminal.read();
    h->flush();
  }
  text += terminal.read();
  CHECK(text.size() == count * (message.size() + 1));
  CHECK(h->lost() == 0);
}

TEST_CASE("a console without a stream or with a wrong pattern is refused") {
  CHECK_THROWS_AS(make_console_handler({.stream = nullptr}), configuration_error);
  CHECK_THROWS_AS(make_console_handler({.pattern = "{nothing}"}), configuration_error);
}
