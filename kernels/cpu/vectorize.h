// A hint before a loop whose iterations are independent: element i of the output may be the memory of element i of an
// input (operations in place), but no other overlap. Without it the compiler checks for overlap at run time, and takes
// the scalar loop when an operation runs in place.
#pragma once

#if defined(__clang__)
#define MELGRAD_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define MELGRAD_VECTORIZE _Pragma("GCC ivdep")
#else
#define MELGRAD_VECTORIZE
#endif
