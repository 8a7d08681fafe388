// melgrad's side of bench/peers/models.py: `melgrad-bench --model-server` does what it is told to on standard input, a
// line a request, and answers with a line, `error: …` where it cannot. So a script can set melgrad and its peers side by
// side, turn by turn, on the same weights and numbers.
//
//   ceilings                       a JSON object: fma (flop/s), read, write and copy (B/s) of this machine; processor, simd,
//                                  threads
//   prepare ID MODEL BATCH DROPOUT [f64]
//                                  makes the network of that name (bench/models/model_work.h) and keeps it as ID; DROPOUT 0
//                                  sets every rate to 0
//   save ID FOLDER                 FOLDER/weights.safetensors, inputs.npy and, but for a block, targets.npy
//   load ID FOLDER                 weights from FOLDER/weights.safetensors
//   infer ID FOLDER                FOLDER/output.npy: the network's output, running statistics in use
//   gradients ID FOLDER            one training pass: FOLDER/gradients.safetensors; answers with the loss
//   time ID PASS REPEATS           PASS is train, train-forward or infer; answers with the milliseconds of each repeat
//   flops ID PASS                  of one repeat, by the definition
//   drop                           forgets all networks and returns their memory
//   memory                         the most bytes that this process has had in memory so far, and those of the arena
#pragma once

#include <iostream>

namespace melgrad::bench {

int serve_models(std::istream& requests, std::ostream& answers);

}  // namespace melgrad::bench
