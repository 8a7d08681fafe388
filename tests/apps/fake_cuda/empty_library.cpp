// A shared library with nothing in it: what a test calls cuBLAS, cuDNN or cuFFT.
extern "C" void melgrad_empty_library() {}
