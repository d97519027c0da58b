// Runs one conformance case: reads commands from standard input and writes each back, followed by a line `>
// …` for each record that a target received because of it. See README.md beside this file.
#include <charconv>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <faultline/faultline.hpp>

namespace {

using faultline::level;

/// A line that cannot be read.
struct bad_line : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Takes "key=value" pairs and words off a command line, from the front.
class words {
 public:
  explicit words(std::string_view line) : rest_(line) {}

  std::string_view next() {
    const std::size_t end = rest_.find(' ');
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (word.empty()) throw bad_line("a word is missing");
    return word;
  }
  std::string_view value_of(std::string_view key) {
    const std::string_view word = next();
    if (word.size() <= key.size() || word.substr(0, key.size()) != key || word[key.size()] != '=')
      throw bad_line("expected " + std::string(key) + "=");
    return word.substr(key.size() + 1);
  }
  std::string_view rest() const {
    if (rest_.empty()) throw bad_line("the text is missing");
    return rest_;
  }
  void end() const {
    if (!rest_.empty()) throw bad_line("unexpected: " + std::string(rest_));
  }

 private:
  std::string_view rest_;
};

level level_named(std::string_view name) {
  for (const level l : {level::debug, level::info, level::warning, level::error, level::critical})
    if (faultline::to_string(l) == name) return l;
  throw bad_line("not a level: " + std::string(name));
}

/// The exception that `end throw` throws.
struct failure {};

class driver {
 public:
  driver() : runtime_({.default_target = faultline::make_null_handler()}) {}

  void run(std::istream& in) {
    std::string line;
    for (number_ = 1; std::getline(in, line); ++number_) {
      if (line.starts_with('>')) continue;
      ended_ = false;
      command(line);
      if (ended_) throw bad_line("end without begin");
    }
    if (depth_ > 0) throw bad_line("the case ends inside a scope");
  }
  [[nodiscard]] int line_number() const { return number_; }

 private:
  void command(const std::string& line) {
    words w(line);
    const std::string_view verb = w.next();
    if (verb == "begin") return begin(line, w);
    if (verb == "target") {
      const std::string name(w.next());
      add_target(name, level_named(w.value_of("level")));
      w.end();
    } else if (verb == "end") {
      const std::string_view how = w.next();
      if (how != "ok" && how != "throw") throw bad_line("expected ok or throw");
      w.end();
      if (depth_ == 0) throw bad_line("end without begin");
      ended_ = true;
      if (how == "throw") throw failure{};
    } else if (verb == "set_level") {
      faultline::logger lg = logger_named(w.value_of("logger"));
      const std::string_view wanted = w.value_of("level");
      w.end();
      wanted == "NOTSET" ? lg.inherit_level() : lg.set_level(level_named(wanted));
    } else if (verb == "log") {
      const faultline::logger lg = logger_named(w.value_of("logger"));
      const level l = level_named(w.value_of("level"));
      FAULTLINE_LOG(lg, l, "{}", w.rest());
    } else {
      throw bad_line("not a command: " + std::string(verb));
    }
    settle(line);
  }

  /// Runs the commands up to the scope's end inside it, so that scopes nest as blocks do.
  void begin(const std::string& line, words& w) {
    const faultline::logger lg = logger_named(w.value_of("logger"));
    const std::string_view capacity = w.value_of("capacity");
    faultline::scope_options options;
    if (std::from_chars(capacity.data(), capacity.data() + capacity.size(), options.capacity).ec !=
            std::errc{} ||
        options.capacity == 0)
      throw bad_line("not a capacity: " + std::string(capacity));
    options.flush_level = level_named(w.value_of("flush_level"));
    const std::string_view policy = w.value_of("on_full");
    if (policy != "drop_oldest" && policy != "flush") throw bad_line("not a policy: " + std::string(policy));
    if (policy == "flush") options.on_full = faultline::full_policy::flush;
    const auto target = targets_.find(w.value_of("target"));
    if (target == targets_.end()) throw bad_line("not a target");
    options.target = target->second;
    w.end();
    ++depth_;
    std::string last;
    try {
      const faultline::error_scope scope(lg, options);
      settle(line);
      while (!ended_) {
        if (!std::getline(std::cin, last)) throw bad_line("the case ends inside a scope");
        ++number_;
        if (!last.starts_with('>')) command(last);
      }
    } catch (const failure&) {
    }
    --depth_;
    ended_ = false;
    settle(last);
  }

  void add_target(const std::string& name, level threshold) {
    auto target = faultline::make_callback_handler([this, name](const faultline::record_view& r) {
      received_.push_back("> " + name + ' ' + std::string(to_string(r.level)) + ' ' + std::string(r.logger) +
                          ' ' + std::string(r.message()));
    });
    target->set_level(threshold);
    targets_[name] = target;
  }

  faultline::logger logger_named(std::string_view name) {
    try {
      return runtime_.get_logger(name);
    } catch (const faultline::configuration_error& e) {
      throw bad_line(e.what());
    }
  }

  /// Waits until what was handed over is written, and prints the command and what it wrote.
  void settle(const std::string& line) {
    if (ended_) return; // printed when the scope has ended
    if (!runtime_.flush()) throw std::runtime_error("flush timed out");
    std::cout << line << '\n';
    for (const std::string& r : received_) std::cout << r << '\n';
    received_.clear();
  }

  std::vector<std::string> received_; // by the flusher, read after a flush
  std::map<std::string, faultline::handler_ptr, std::less<>> targets_;
  faultline::runtime runtime_;
  int depth_ = 0;
  int number_ = 0;
  bool ended_ = false;
};

} // namespace

int main() {
  driver d;
  try {
    d.run(std::cin);
  } catch (const bad_line& e) {
    std::cout.flush();
    std::cerr << "line " << d.line_number() << ": " << e.what() << '\n';
    return 2;
  }
}
