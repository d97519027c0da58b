#include "buffer/context_block.hpp"

#include <string>

#include "support/catch.hpp"

using faultline::detail::context_block;

TEST_CASE("a context block copies only what it uses, and the copy says the same") {
  context_block block;
  block.reset("order");
  CHECK_FALSE(block.empty());
  const std::byte value[4]{};
  block.add_field("key", "i", value, sizeof value);
  context_block copy;
  block.copy_to(&copy);
  CHECK(block.used_bytes() < sizeof(context_block) / 3);
  CHECK(copy.name() == "order");
  CHECK(copy.fields() == block.fields());
  CHECK_FALSE(copy.traced());
}

TEST_CASE("a field that does not fit is left out whole and marks the block as cut") {
  context_block block;
  block.reset(std::string(63, 'n'));
  const std::byte value[90]{};
  block.add_field("a", "s", value, sizeof value);
  block.add_field("b", "s", value, sizeof value);
  CHECK_FALSE(block.cut());
  const auto before = block.fields();
  block.add_field("c", "s", value, sizeof value);
  CHECK(block.cut());
  CHECK(block.fields() == before);
  block.reset("");
  CHECK(block.empty());
  CHECK_FALSE(block.cut());
}

TEST_CASE("a field of which a part is too long is left out and marks the block as cut") {
  const std::byte value[1]{};
  const std::string longer(256, 'k');
  const auto cuts = [&](std::string_view key, std::string_view code, std::size_t bytes) {
    context_block block;
    block.reset("name");
    const std::string whole(bytes, 'v');
    block.add_field(key, code, reinterpret_cast<const std::byte*>(whole.data()), bytes);
    return block.cut();
  };
  CHECK(cuts(longer, "c", 1));
  CHECK(cuts("k", longer, 1));
  CHECK(cuts("k", "s", 256));
  CHECK(cuts("k", "s", 196));
  CHECK_FALSE(cuts("k", "s", 195));
  context_block nameless;
  nameless.reset("");
  nameless.add_field("", "c", value, 1);
  CHECK_FALSE(nameless.cut());
  CHECK_FALSE(nameless.empty());
}

TEST_CASE("a block that only has trace ids is not empty") {
  context_block block;
  block.reset("");
  block.set_trace({1}, {2});
  CHECK_FALSE(block.empty());
  CHECK(block.traced());
}
