#include "tensor/io/npy.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <limits>

#include "tensor/io/atomic_file.h"

namespace melgrad {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Header parse() {
    Header header;
    bool has_descr = false, has_order = false, has_shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr") {
        header.descr = quoted();
        has_descr = true;
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
        has_order = true;
      } else if (key == "shape") {
        header.shape = tuple();
        has_shape = true;
      } else {
        refuse();
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (!has_descr || !has_order || !has_shape) refuse();
    return header;
  }

 private:
  [[noreturn]] void refuse() const { fail("{}: not a .npy file that can be read: bad header", name_); }
  void skip_space() {
    while (!text_.empty() && std::isspace(static_cast<unsigned char>(text_.front()))) text_.remove_prefix(1);
  }
  bool accept(char c) {
    skip_space();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse();
  }
  std::string quoted() {
    skip_space();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) refuse();
    const auto end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) refuse();
    std::string value(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return value;
  }
  bool boolean() {
    skip_space();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      if (text_.starts_with(word)) {
        text_.remove_prefix(word.size());
        return value;
      }
    }
    refuse();
  }
  std::vector<int64_t> tuple() {
    std::vector<int64_t> values;
    expect('(');
    while (!accept(')')) {
      skip_space();
      int64_t value = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
      if (error != std::errc() || value < 0) refuse();
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      values.push_back(value);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  std::string_view text_;
  const std::string& name_;
};

struct Element {
  std::string_view descr;
  int64_t size;
  DType dtype;
};

constexpr Element elements[] = {{"<f4", 4, DType::f32}, {"<f8", 8, DType::f64}, {"<i4", 4, DType::i32},
                                {"|u1", 1, DType::u8},  {"<i8", 8, DType::i32}, {"|b1", 1, DType::u8}};

void narrow(std::string_view data, Tensor& tensor, const std::string& name) {
  auto values = tensor.mutable_data<int32_t>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    int64_t wide;
    std::memcpy(&wide, data.data() + 8 * i, 8);
    require(wide >= std::numeric_limits<int32_t>::min() && wide <= std::numeric_limits<int32_t>::max(),
            "{}: value {} does not fit 32 bits", name, wide);
    values[i] = static_cast<int32_t>(wide);
  }
}

// The header's text and where the data starts.
std::pair<std::string_view, std::size_t> find_header(std::string_view bytes, const std::string& name) {
  require(bytes.size() >= 10 && bytes.starts_with(magic), "{}: not a .npy file", name);
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t version = byte(6);
  require(version >= 1 && version <= 3, "{}: .npy version {} is not known", name, version);
  const std::size_t start = version == 1 ? 10 : 12;
  require(bytes.size() >= start, "{}: the .npy file ends within its header", name);
  const std::size_t length =
      version == 1 ? byte(8) | byte(9) << 8 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  require(length <= bytes.size() - start, "{}: the .npy file ends within its header", name);
  return {bytes.substr(start, length), start + length};
}

}  // namespace

Tensor parse_npy(std::string_view bytes, const std::string& name) {
  const auto [text, data_start] = find_header(bytes, name);
  const Header header = HeaderParser(text, name).parse();
  const Element* element = nullptr;
  for (const Element& candidate : elements)
    if (candidate.descr == header.descr) element = &candidate;
  require(element != nullptr, "{}: element type '{}' is not supported; save float32, float64, int32, int64 or uint8",
          name, header.descr);
  require(!header.fortran_order || header.shape.size() < 2,
          "{}: in Fortran order; save numpy.ascontiguousarray(…) instead", name);
  require(header.shape.size() <= Shape::max_rank, "{}: {} axes, expected at most {}", name, header.shape.size(),
          Shape::max_rank);
  // The data must fill the file exactly; multiply with care, the sizes may be anything.
  const std::string_view data = bytes.substr(data_start);
  int64_t bytes_promised = element->size;  // of the sizes that are not 0: no product of some of them overflows
  for (int64_t size : header.shape) {
    require(!__builtin_mul_overflow(bytes_promised, std::max<int64_t>(size, 1), &bytes_promised),
            "{}: the header's shape overflows", name);
  }
  if (std::count(header.shape.begin(), header.shape.end(), 0) != 0) bytes_promised = 0;
  require(bytes_promised == static_cast<int64_t>(data.size()),
          "{}: the header promises {} bytes of data, the file holds {}", name, bytes_promised, data.size());
  Tensor tensor = Tensor::empty(Shape(header.shape), element->dtype);
  if (header.descr == "<i8") {
    narrow(data, tensor, name);
  } else if (!data.empty()) {
    std::memcpy(tensor.mutable_view().data, data.data(), data.size());
  }
  return tensor;
}

Tensor load_npy(const std::filesystem::path& path) {
  return parse_npy(read_file(path), path.string());
}

namespace {

// Version 1, padded with spaces and a newline to `size` bytes, or where that is 0 to a multiple of 64.
std::string format_header(std::string_view descr, const std::string& shape, std::size_t size = 0) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", descr, shape);
  const std::size_t start = magic.size() + 4;
  const std::size_t whole = size > 0 ? size : (start + header.size() + 1 + 63) / 64 * 64;
  header.append(whole - start - 1 - header.size(), ' ');
  header += '\n';
  std::string bytes(magic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  return bytes + header;
}

}  // namespace

void save_npy(const std::filesystem::path& path, const Tensor& tensor) {
  const Tensor host = tensor.device() == Device::cpu ? tensor : tensor.to(Device::cpu);
  std::string_view descr;
  for (const Element& element : elements) {
    if (element.dtype == host.dtype()) {
      descr = element.descr;
      break;
    }
  }
  std::string shape = "(";
  for (int64_t size : host.shape()) shape += std::to_string(size) + ",";
  std::string bytes = format_header(descr, shape + ")");
  bytes.append(static_cast<const char*>(host.view().data), static_cast<std::size_t>(host.view().bytes()));
  write_file_atomically(path, bytes);
}

NpyRowWriter::NpyRowWriter(const std::filesystem::path& path, int64_t columns) : file_(path), columns_(columns) {
  require(columns >= 1, "{}: rows of {} columns", path.string(), columns);
  file_.append(header());
}

// Of the same length however many rows there are.
std::string NpyRowWriter::header() const {
  return format_header("<f4", fmt::format("({}, {})", rows_, columns_), 128);
}

void NpyRowWriter::append(std::span<const float> rows) {
  require(static_cast<int64_t>(rows.size()) % columns_ == 0, "npy: {} numbers are no whole rows of {}", rows.size(),
          columns_);
  rows_ += static_cast<int64_t>(rows.size()) / columns_;
  file_.append({reinterpret_cast<const char*>(rows.data()), rows.size_bytes()});
}

void NpyRowWriter::commit() {
  file_.replace(0, header());
  file_.commit();
}

}  // namespace melgrad
