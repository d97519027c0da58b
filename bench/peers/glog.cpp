// glog: synchronous; writes everything. DEBUG is VLOG(1).
#include <glog/logging.h>

#include "../run_variants.hpp"

namespace {

using namespace bench;

class glog_sync {
 public:
  static constexpr std::string_view name = "glog_sync";
  static constexpr fate records = fate::written;
  static constexpr unsigned scenarios = writing_scenarios | scenario_disabled;
  static constexpr bool has_busy_back_end = false;
  static constexpr int most_threads = 1024;

  class log {
   public:
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      VLOG(1) << "request " << x << " handled " << y << " bytes in " << z << " us";
    }
    void b(const std::string& user, int shard) const { VLOG(1) << "user " << user << " shard " << shard; }
    void error(int n) const {
      LOG(ERROR) << "request failed with " << n;
      google::FlushLogFiles(google::GLOG_INFO); // an ERROR does not flush the file of the lower levels
    }
  };
  struct request {
    explicit request(const log&) {}
  };

  explicit glog_sync(const setup& s) {
    static const bool begun = [] {
      google::InitGoogleLogging("bench");
      return true;
    }();
    (void)begun;
    FLAGS_v = s.disabled ? 0 : 1;
    FLAGS_timestamp_in_logfile_name = false;
    FLAGS_stderrthreshold = google::GLOG_FATAL;
    for (const auto severity : {google::GLOG_WARNING, google::GLOG_ERROR, google::GLOG_FATAL})
      google::SetLogDestination(severity, "");
    google::SetLogDestination(google::GLOG_INFO, s.path.c_str());
    google::SetLogSymlink(google::GLOG_INFO, "");
  }
  ~glog_sync() { google::SetLogDestination(google::GLOG_INFO, ""); }

  [[nodiscard]] log make_log() { return {}; }
  void settle() { google::FlushLogFiles(google::GLOG_INFO); }
  [[nodiscard]] std::uint64_t lost() const { return 0; }
  [[nodiscard]] std::uint64_t reported_memory() const { return 0; }
};

} // namespace

int main(int count, char** words) { return run_variants<glog_sync>(count, words); }
