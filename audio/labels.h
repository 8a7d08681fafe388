// Which labels of a data set count, in which order.
#pragma once

#include <string>
#include <vector>

#include "audio/reader.h"

namespace melgrad {

// Renumbers the labels to be `labels`, in this order; a clip loses its other labels. Of a single-label set, clips whose
// label is not among them go. Labels that the set does not have stay, without clips.
void use_labels(ClipList& list, const std::vector<std::string>& labels);

// What data.labels and data.untagged ask for, on what a reader has found; the choices go to list.protocol. Throws Error
// naming the key for a file that cannot be read or names a label twice, or if no clip is left.
void choose_labels(ClipList& list, const DataOptions& options);

// How many clips of the list have each label.
std::vector<int64_t> label_counts(const ClipList& list);

}  // namespace melgrad
