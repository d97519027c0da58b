// A handler of one's own: it counts failures by the message that caused them and keeps the last steps before
// each, as a status page would show them. Its functions run on the flusher's thread and never on a thread
// that logs.
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include <fmt/format.h>

#include <faultline/faultline.hpp>

namespace {

class failure_board final : public faultline::handler {
 public:
  void write(const faultline::batch& records) override {
    if (records.empty()) return;
    // A dump has an envelope and ends with the record that caused it; records of the pass path have none.
    if (const faultline::dump_envelope* dump = records.envelope()) {
      // The views end with this call: what is kept must be copied.
      entry& e = entries_[std::string(records.records().back().message())];
      ++e.count;
      e.story = fmt::format("scope {}, {} records", dump->scope.name, dump->records);
      for (const faultline::record_view& r : records) e.story += fmt::format("\n  {}", r.message());
    } else {
      for (const faultline::record_view& r : records)
        fmt::print("{}: {}\n", faultline::to_string(r.level), r.message());
    }
  }

  /// Called at the end of each round in which this handler was given something.
  void flush() override { std::fflush(stdout); }

  /// For the main thread once the runtime has stopped: the flusher is gone, so no lock is needed.
  void print() const {
    for (const auto& [message, e] : entries_) fmt::print("{} x {}; last: {}\n", e.count, message, e.story);
  }

 private:
  struct entry {
    unsigned count = 0;
    std::string story;
  };
  std::map<std::string, entry> entries_;
};

const faultline::logger logger = faultline::get_logger("mail");

void deliver(int letter, bool reachable) {
  FAULTLINE_SCOPE(logger, .name = "deliver");
  FAULTLINE_DEBUG(logger, "letter {}: connecting", letter);
  if (!reachable) {
    FAULTLINE_ERROR(logger, "no route to host");
    return;
  }
  FAULTLINE_DEBUG(logger, "letter {}: sent", letter);
}

} // namespace

int main() {
  const auto board = std::make_shared<failure_board>();
  faultline::start({.default_target = board}); // scopes write to it …
  board->set_level(faultline::level::info);
  faultline::get_logger("mail").add_handler(board); // … and so do records at INFO and above, fail or not

  FAULTLINE_INFO(logger, "three letters to deliver");
  deliver(1, true);
  deliver(2, false);
  deliver(3, false);

  faultline::stop();
  board->print();
}

// Outputs:
// INFO: three letters to deliver
// 2 x no route to host; last: scope deliver, 2 records
//   letter 3: connecting
//   no route to host
