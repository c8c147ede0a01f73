#pragma once
// Inside core/store only: element types, shapes and text attributes between HDF5 and ours.
#include <optional>
#include <string>
#include <vector>

#include <H5Cpp.h>

#include "core/base/dtype.h"
#include "core/base/tensor.h"

namespace vitrine::store {

/// The little-endian file type of an element; bfloat16, which HDF5 lacks, throws H5::DataTypeIException.
H5::DataType file_type(DType dtype);

/// The element type of a stored data set; none for texts, compounds and what we do not read.
std::optional<DType> element_type(const H5::DataType& type);

H5::DataSpace space_of(const Shape& shape);
Shape shape_of(const H5::DataSpace& space);

/// Texts are UTF-8 of variable length, so an attribute may be longer than HDF5's 64 KiB.
void write_attribute(const H5::H5Object& object, const char* name, const std::string& value);
void write_attribute(const H5::H5Object& object, const char* name, const std::vector<std::string>& values);

/// Empty if the attribute is missing or no text.
std::string text_attribute(const H5::H5Object& object, const char* name);
std::vector<std::string> texts_attribute(const H5::H5Object& object, const char* name);

} // namespace vitrine::store
