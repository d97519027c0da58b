// Boost.Log: a synchronous sink, and an asynchronous one with a bounded queue that blocks when full.
#define BOOST_LOG_DYN_LINK 1
#include <fstream>
#include <memory>

#include <boost/log/attributes/clock.hpp>
#include <boost/log/core.hpp>
#include <boost/log/expressions.hpp>
#include <boost/log/sinks/async_frontend.hpp>
#include <boost/log/sinks/block_on_overflow.hpp>
#include <boost/log/sinks/bounded_fifo_queue.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/sinks/text_ostream_backend.hpp>
#include <boost/log/sources/record_ostream.hpp>
#include <boost/log/sources/severity_feature.hpp>
#include <boost/log/sources/severity_logger.hpp>
#include <boost/log/support/date_time.hpp>
#include <boost/make_shared.hpp>

#include "../run_variants.hpp"

namespace {

using namespace bench;
namespace logging = boost::log;

enum severity { debug, error_level };

using source = logging::sources::severity_logger<severity>;
using synchronous = logging::sinks::synchronous_sink<logging::sinks::text_ostream_backend>;
using asynchronous = logging::sinks::asynchronous_sink<
    logging::sinks::text_ostream_backend,
    logging::sinks::bounded_fifo_queue<8192, logging::sinks::block_on_overflow>>;

template <class Sink> class with_sink {
 public:
  static constexpr fate records = fate::written;
  static constexpr int most_threads = 1024;
  static constexpr bool flushes_each = false;

  class log {
   public:
    explicit log(with_sink& owner) : owner_(&owner), source_(std::make_shared<source>()) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      BOOST_LOG_SEV(*source_, debug) << "request " << x << " handled " << y << " bytes in " << z << " us";
    }
    void b(const std::string& user, int shard) const {
      BOOST_LOG_SEV(*source_, debug) << "user " << user << " shard " << shard;
    }
    void error(int n) const {
      BOOST_LOG_SEV(*source_, error_level) << "request failed with " << n;
      if constexpr (std::is_same_v<Sink, synchronous>) owner_->settle();
    }

   private:
    with_sink* owner_;
    std::shared_ptr<source> source_;
  };
  struct request {
    explicit request(const log&) {}
  };

  explicit with_sink(const setup& s) {
    const auto backend = boost::make_shared<logging::sinks::text_ostream_backend>();
    backend->add_stream(boost::make_shared<std::ofstream>(s.path));
    // An asynchronous ERROR cannot ask for its flush alone: the sink then flushes each record.
    backend->auto_flush(false);
    sink_ = boost::make_shared<Sink>(backend);
    sink_->set_formatter(logging::expressions::stream
                         << logging::expressions::format_date_time<boost::posix_time::ptime>(
                                "TimeStamp", "%Y-%m-%dT%H:%M:%S.%fZ")
                         << " " << logging::expressions::smessage);
    logging::core::get()->add_global_attribute("TimeStamp", logging::attributes::utc_clock());
    logging::core::get()->add_sink(sink_);
    if (s.disabled)
      logging::core::get()->set_filter(logging::expressions::attr<severity>("Severity") >= error_level);
  }
  ~with_sink() {
    logging::core::get()->remove_sink(sink_);
    if constexpr (std::is_same_v<Sink, asynchronous>) sink_->stop();
    sink_->flush();
  }

  [[nodiscard]] log make_log() { return log(*this); }
  void settle() { sink_->flush(); }
  [[nodiscard]] std::uint64_t lost() const { return 0; }
  [[nodiscard]] std::uint64_t reported_memory() const { return 0; }

 private:
  boost::shared_ptr<Sink> sink_;
};

struct boost_log_sync : with_sink<synchronous> {
  static constexpr std::string_view name = "boost_log_sync";
  static constexpr unsigned scenarios = writing_scenarios | scenario_disabled;
  static constexpr bool has_busy_back_end = false;
  using with_sink::with_sink;
};

struct boost_log_async : with_sink<asynchronous> {
  static constexpr std::string_view name = "boost_log_async";
  // No trip: it has no flush that an ERROR could ask for without waiting for it.
  static constexpr unsigned scenarios = call_scenarios | scenario_text | scenario_written;
  static constexpr bool has_busy_back_end = true;
  using with_sink::with_sink;
};

} // namespace

int main(int count, char** words) { return run_variants<boost_log_sync, boost_log_async>(count, words); }
