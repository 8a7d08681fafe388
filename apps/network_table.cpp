#include "apps/network_table.h"

#include "apps/table.h"
#include "kernels/dtype.h"

namespace melgrad {

int64_t parameter_count(const Layer& layer) {
  int64_t parameters = 0;
  for (const NamedTensor& named : layer.state()) parameters += named.tensor.numel();
  return parameters;
}

std::vector<std::vector<std::string>> network_rows(const Sequential& network) {
  std::vector<std::vector<std::string>> rows{{"layer", "output shape", "parameters", "flops", "activation bytes"}};
  for (const Sequential::Entry& entry : network.layers()) {
    rows.push_back({entry.name, entry.output.to_string(), with_commas(parameter_count(*entry.layer)),
                    with_commas(entry.layer->flops(entry.input)),
                    with_commas(entry.output.numel() * size_of(DType::f32))});
  }
  return rows;
}

}  // namespace melgrad
