#include "tensor/autograd.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "kernels/elementwise.h"
#include "tensor/tape.h"
#include "tensor/tape_watch.h"

namespace melgrad {
namespace {

thread_local bool recording = true;
thread_local bool checking_numbers = false;
thread_local bool recomputing_now = false;
thread_local std::vector<Tensor>* rehearsed = nullptr;  // where a Rehearsal gathers
thread_local const TapeWatch* watching = nullptr;

std::atomic<uint64_t> next_sequence = 1;

// Adds to the gradient of a leaf. What users see is memory of its own: clipping one gradient in place must not clip
// another's.
void accumulate_in_leaf(Tensor& leaf, Tensor term) {
  Tensor sum = leaf.grad();
  leaf.zero_grad();  // so that `sum` may be the only owner
  accumulate(sum, std::move(term));
  leaf.set_grad(sum.sole_owner() ? std::move(sum) : sum.clone());
}

// Adds those of `inputs` that require a gradient and are not there yet.
void gather(std::vector<Tensor>& tensors, const std::vector<Tensor>& inputs) {
  for (const Tensor& input : inputs) {
    const auto known = [&](const Tensor& tensor) { return tensor.same_as(input); };
    if (input.requires_grad() && std::none_of(tensors.begin(), tensors.end(), known)) tensors.push_back(input);
  }
}

// The first NaN or infinity, or 0.
template <class T>
double first_anomaly(const Tensor& tensor) {
  for (T value : tensor.data<T>())
    if (!std::isfinite(value)) return static_cast<double>(value);
  return 0;
}

void check_numbers(const Tensor& tensor, const char* operation, const std::string& what) {
  const Tensor host = tensor.device() == Device::cpu ? tensor : tensor.to(Device::cpu);
  double found = 0;
  if (host.dtype() == DType::f32) found = first_anomaly<float>(host);
  if (host.dtype() == DType::f64) found = first_anomaly<double>(host);
  require(std::isfinite(found), "{}: {} {} has {}", operation, what, tensor.shape().to_string(),
          std::isnan(found) ? "a NaN" : "an infinity");
}

// Whether the walk goes on behind this tensor.
bool has_node(const Tensor& tensor, uint64_t first_node) {
  return tensor.node() != nullptr && tensor.node()->sequence >= first_node;
}

// Every node behind `root` down to `first_node`, latest first.
std::vector<std::shared_ptr<Node>> nodes_behind(const std::shared_ptr<Node>& root, uint64_t first_node) {
  std::vector<std::shared_ptr<Node>> found{root};
  std::unordered_set<const Node*> seen{root.get()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    require(
        !found[i]->freed,
        "backward: the graph behind {} has been used and freed; run the forward pass again before another backward()",
        found[i]->operation);
    for (const Tensor& input : found[i]->inputs) {
      if (has_node(input, first_node) && seen.insert(input.node().get()).second) found.push_back(input.node());
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a->sequence > b->sequence; });
  return found;
}

}  // namespace

// A node owns its inputs, these own their nodes, and so on: nodes that die while another is dying leave their inputs to
// it instead of descending into them.
Node::~Node() {
  thread_local std::vector<Tensor>* dying = nullptr;
  if (dying != nullptr) {
    std::move(inputs.begin(), inputs.end(), std::back_inserter(*dying));
    return;
  }
  std::vector<Tensor> pending = std::move(inputs);
  dying = &pending;
  backward = nullptr;  // may hold inputs too, and must not be their last owner
  while (!pending.empty()) {
    const Tensor next = std::move(pending.back());
    pending.pop_back();
  }
  dying = nullptr;
}

const Tensor& Saved::get() const {
  require(tensor_.storage()->version == version_,
          "backward: a tensor of shape {} that the gradient needs was written after the forward pass",
          tensor_.shape().to_string());
  return tensor_;
}

Gradients::Gradients(const Node& node) : tensors_(node.inputs.size()) {
  for (const Tensor& input : node.inputs) wanted_.push_back(input.requires_grad());
}

bool grad_enabled() {
  return recording;
}
NoGrad::NoGrad() : before_(recording) {
  recording = false;
}
NoGrad::~NoGrad() {
  recording = before_;
}

bool recomputing() {
  return recomputing_now;
}
Rehearsal::Rehearsal() : before_(rehearsed) {
  rehearsed = &tensors_;
}
Rehearsal::~Rehearsal() {
  rehearsed = before_;
}
Recomputation::Recomputation() : recording_before_(recording), recomputing_before_(recomputing_now) {
  recording = recomputing_now = true;
}
Recomputation::~Recomputation() {
  recording = recording_before_;
  recomputing_now = recomputing_before_;
}

TapeWatch::TapeWatch(Event recorded_event, Event walks_event)
    : recorded(std::move(recorded_event)), walks(std::move(walks_event)) {
  require(watching == nullptr, "tape watch: there is one in this thread already");
  watching = this;
}
TapeWatch::~TapeWatch() {
  watching = nullptr;
}
const TapeWatch* TapeWatch::current() {
  return watching;
}

uint64_t next_node() {
  return next_sequence;
}

void accumulate(Tensor& sum, Tensor term) {
  if (!sum.defined()) {
    sum = std::move(term);
    return;
  }
  Tensor target = sum.sole_owner() ? sum : Tensor::empty_like(sum);
  elementwise_binary(sum.stream(), Binary::add, sum.view(), term.view(), target.mutable_view());
  sum = target;
}

Tensor record(Tensor output, std::shared_ptr<Node> node);  // tensor.cpp: puts the node into the tensor

Tensor record(const char* operation, Tensor output, std::vector<Tensor> inputs, BackwardFunction backward) {
  if (checking_numbers) check_numbers(output, operation, "the output");
  if (rehearsed != nullptr) gather(*rehearsed, inputs);
  const bool needed = std::any_of(inputs.begin(), inputs.end(), [](const Tensor& t) { return t.requires_grad(); });
  if (!recording || !needed) return output;
  auto node = std::make_shared<Node>();
  node->operation = operation;
  node->inputs = std::move(inputs);
  node->backward = std::move(backward);
  node->output_shape = output.shape();
  node->sequence = next_sequence++;
  if (watching != nullptr) watching->recorded(*node);
  return record(std::move(output), std::move(node));
}

AnomalyCheck::AnomalyCheck() : before_(checking_numbers) {
  checking_numbers = true;
}
AnomalyCheck::~AnomalyCheck() {
  checking_numbers = before_;
}

void on_gradient(const Tensor& tensor, std::function<void(const Tensor& dy)> hook) {
  if (rehearsed != nullptr) return;  // the second pass has the gradients
  require(tensor.node() != nullptr, "on_gradient: the tensor is a leaf; its gradient stays in grad()");
  tensor.node()->hooks.push_back(std::move(hook));
}

void walk_back(const Tensor& output, const Tensor& gradient, const WalkOptions& options) {
  require(output.requires_grad(), "backward: nothing behind this tensor requires a gradient");
  require(gradient.shape() == output.shape(), "backward: the gradient is {}, the tensor {}",
          gradient.shape().to_string(), output.shape().to_string());
  require(gradient.dtype() == output.dtype() && gradient.device() == output.device(),
          "backward: the gradient is {} on {}, the tensor {} on {}", name_of(gradient.dtype()),
          name_of(gradient.device()), name_of(output.dtype()), name_of(output.device()));
  const NoGrad no_grad;
  if (!has_node(output, options.first_node)) {
    Tensor leaf = output;
    return options.at_leaf(leaf, gradient);
  }
  std::unordered_map<const Node*, Tensor> flowing{{output.node().get(), gradient}};
  for (const std::shared_ptr<Node>& node : nodes_behind(output.node(), options.first_node)) {
    auto found = flowing.find(node.get());
    Tensor dy = found == flowing.end() ? Tensor() : std::move(found->second);
    if (found != flowing.end()) flowing.erase(found);
    if (dy.defined()) {
      if (watching != nullptr) watching->walks(*node);
      if (options.at_node) options.at_node(*node, dy);
      for (const auto& hook : node->hooks) hook(dy);
      Gradients gradients(*node);
      node->backward(dy, gradients);
      for (std::size_t i = 0; i < node->inputs.size(); ++i) {
        Tensor& input = node->inputs[i];
        Tensor term = gradients.take(i);
        if (!gradients.wants(i) || !term.defined()) continue;
        require(term.shape() == input.shape(), "backward: {} gave a gradient of {} for an input of {}", node->operation,
                term.shape().to_string(), input.shape().to_string());
        if (checking_numbers) check_numbers(term, node->operation, fmt::format("the gradient of input {}", i));
        if (has_node(input, options.first_node)) {
          accumulate(flowing[input.node().get()], std::move(term));
        } else {
          options.at_leaf(input, std::move(term));
        }
      }
    }
    // Free as we go: the saved tensors of this node are needed no more.
    node->freed = true;
    node->backward = nullptr;
    node->hooks.clear();
    node->inputs.clear();
  }
}

void backward(const Tensor& output, const Tensor& gradient) {
  walk_back(output, gradient, {.at_leaf = accumulate_in_leaf});
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs) {
  require(output.numel() == 1, "grad: the tensor is {}, expected a scalar", output.shape().to_string());
  std::vector<Tensor> gradients(inputs.size());
  const auto at_leaf = [&](Tensor& leaf, const Tensor& term) {
    for (std::size_t i = 0; const Tensor& input : inputs) {
      if (input.same_as(leaf)) accumulate(gradients[i], term.clone());
      ++i;
    }
  };
  const auto at_node = [&](const Node& node, const Tensor& dy) {
    for (std::size_t i = 0; const Tensor& input : inputs) {
      if (input.node().get() == &node) gradients[i] = dy.clone();
      ++i;
    }
  };
  walk_back(output, Tensor::full(output.shape(), 1.0, output.dtype(), output.device()),
            {.at_leaf = at_leaf, .at_node = at_node});
  for (std::size_t i = 0; i < inputs.size(); ++i)
    require(gradients[i].defined(), "grad: the scalar does not depend on input {}, {}", i,
            inputs[i].shape().to_string());
  return gradients;
}

void Tensor::backward() const {
  require(numel() == 1, "backward: the tensor is {}, expected a scalar; give a gradient otherwise",
          shape().to_string());
  melgrad::backward(*this, full(shape(), 1.0, dtype(), device()));
}

}  // namespace melgrad
