#include "handlers/batch_copy.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/sample_records.hpp"

using namespace faultline;
using detail::batch_copy;
using test::sample_record;

namespace {

/// A dump of one record, all of whose texts lie in memory of its own.
class full_batch {
 public:
  full_batch() {
    const auto text = [this](const char* s) -> std::string_view { return *texts_.insert(texts_.end(), s); };
    field_ = {text("user"), text("ann")};
    scope_ = {
        text("checkout"), text("4bf92f3577b34da6a3ce929d0e0e4736"), text("00f067aa0ba902b7"), {&field_, 1}};
    site_ = {text("no stock for {}"), text("/src/shop/order.cpp"), text("reserve"), text("item"), 42};
    argument_ = {text("item"), text("4711"), argument_kind::number};
    record_ = sample_record(text("no stock for 4711"), level::error);
    record_.logger = text("shop.order");
    record_.site = &site_;
    record_.scope = &scope_;
    record_.dump_id = 17;
    record_.exception_text = text("std::runtime_error: no stock");
    record_.arguments = {&argument_, 1};
    envelope_.id = 17;
    envelope_.scope = scope_;
    envelope_.logger = text("shop");
    envelope_.reason = text("ERROR");
    envelope_.records = 1;
  }
  [[nodiscard]] batch view() const { return batch({&record_, 1}, &envelope_); }
  /// As the flusher uses its memory again after the call.
  void overwrite() {
    for (std::string& s : texts_) std::fill(s.begin(), s.end(), '#');
    site_ = {};
    scope_ = {};
    field_ = {};
    argument_ = {};
    record_ = {};
    envelope_ = {};
  }

 private:
  std::deque<std::string> texts_;
  context_field field_;
  scope_context scope_;
  site_facts site_;
  named_argument argument_;
  record_view record_;
  dump_envelope envelope_;
};

std::string text_of(const formatter_ptr& f, const batch& records) {
  std::string text;
  f->format(records, text);
  return text;
}

} // namespace

TEST_CASE("a copy of a batch is whole after the memory of what it was copied from is used again") {
  full_batch source;
  const std::array formatters = {
      make_json_formatter(),
      make_text_formatter(
          "{time} {level} {logger} {thread} {path} {line} {function} {message} {exception} {scope} "
          "{trace_id} {span_id} {fields} {dump_id}")};
  const batch_copy copy(source.view());
  for (const formatter_ptr& f : formatters) CHECK(text_of(f, copy.view()) == text_of(f, source.view()));
  const std::string before = text_of(formatters[0], copy.view());
  source.overwrite();
  CHECK(text_of(formatters[0], source.view()) != before);
  CHECK(text_of(formatters[0], copy.view()) == before);
  CHECK(copy.view().records().front().site->format == "no stock for {}");
  CHECK(copy.view().records().front().site->argument_names == "item");
}

TEST_CASE("records that share a site, a context and a logger share the copies of these, and others do not") {
  const site_facts other{"{}", "/src/shop/price.cpp", "price", "cents", 7};
  const scope_context scope{"order", {}, {}, {}};
  std::vector<record_view> records(50, sample_record("the same text"));
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i % 2 != 0) records[i].site = &other;
    if (i >= 10) records[i].scope = &scope;
    if (i >= 20) records[i].logger = "shop.price";
  }
  const batch_copy copy((batch(records)));
  const auto copies = copy.view().records();
  for (std::size_t i = 2; i < copies.size(); ++i) {
    CHECK(copies[i].site == copies[i - 2].site);
    CHECK(copies[i].site->line == records[i].site->line);
    CHECK(copies[i].logger == records[i].logger);
    CHECK((copies[i].scope == nullptr) == (i < 10));
  }
  CHECK(copies[10].scope->name == "order");
  CHECK(copies[10].scope == copies[49].scope);
  CHECK(copies[20].logger.data() == copies[49].logger.data());
  CHECK(copies[0].text.data() != copies[1].text.data());
  CHECK(copy.bytes() >= 50 * (sizeof(record_view) + 13));
  CHECK(copy.bytes() <= 50 * (sizeof(record_view) + 13) + 1024);
}

TEST_CASE("a copy of records of the pass path has no envelope, and that of a foreign record no site") {
  record_view r = sample_record("text");
  r.site = nullptr;
  const batch_copy copy(batch({&r, 1}));
  CHECK(copy.view().envelope() == nullptr);
  CHECK(copy.size() == 1);
  CHECK(copy.view().records().front().site == nullptr);
  CHECK(copy.view().records().front().message() == "text");
}
