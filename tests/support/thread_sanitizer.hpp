// FAULTLINE_TEST_TSAN is defined where ThreadSanitizer is built in: it lets no child of a program with
// threads start one of its own.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define FAULTLINE_TEST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FAULTLINE_TEST_TSAN 1
#endif
#endif
