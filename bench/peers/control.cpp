// A variant whose text is wrong by one word: the check of texts must refuse it before its time counts.
#include <cstdio>

#include "../run_variants.hpp"

namespace {

using namespace bench;

class control_wrong_text : public example_variant {
 public:
  static constexpr std::string_view name = "control_wrong_text";
  static constexpr fate records = fate::written;
  static constexpr unsigned scenarios = scenario_text | scenario_held;

  class log {
   public:
    explicit log(std::FILE* f) : file_(f) {}
    void a(std::uint64_t x, std::uint32_t y, double z) const {
      std::fprintf(file_, "request %llu sent %u bytes in %g us\n", static_cast<unsigned long long>(x), y, z);
    }
    void b(const std::string& user, int shard) const {
      std::fprintf(file_, "user %s shard %d\n", user.c_str(), shard);
    }
    void error(int n) const { std::fprintf(file_, "request failed with %d\n", n); }

   private:
    std::FILE* file_;
  };
  struct request {
    explicit request(const log&) {}
  };

  explicit control_wrong_text(const setup& s) : example_variant(s), file_(std::fopen(s.path.c_str(), "we")) {
    if (file_ == nullptr) throw std::runtime_error("cannot write " + s.path);
  }
  ~control_wrong_text() { (void)std::fclose(file_); }
  [[nodiscard]] log make_log() { return log(file_); }
  void settle() { (void)std::fflush(file_); }

 private:
  std::FILE* file_;
};

} // namespace

int main(int count, char** words) { return run_variants<control_wrong_text>(count, words); }
