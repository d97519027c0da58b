/* Included before each file of a program that reads the time stamp counter: the program's own. */
#pragma once

#ifdef __cplusplus
extern "C" unsigned long long faultline_test_counter(void) noexcept;
#endif
#define __builtin_ia32_rdtsc faultline_test_counter
