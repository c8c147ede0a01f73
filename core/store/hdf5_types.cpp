#include "core/store/hdf5_types.h"

#include <bit>
#include <utility>

namespace vitrine::store {

static_assert(std::endian::native == std::endian::little, "stored bytes are little-endian");

namespace {

H5::StrType text_type() {
    H5::StrType type(H5::PredType::C_S1, H5T_VARIABLE);
    type.setCset(H5T_CSET_UTF8);
    return type;
}

/// IEEE half as numpy and h5py describe it: sign at 15, 5 bits of exponent at 10, 10 of mantissa at 0.
H5::FloatType half_type() {
    H5::FloatType type(H5::PredType::IEEE_F32LE);
    type.setFields(15, 10, 5, 0, 10);
    type.setSize(2);
    type.setEbias(15);
    return type;
}

constexpr DType candidates[] = {DType::f32, DType::f16, DType::f64, DType::i8,
                                DType::u8,  DType::i16, DType::i32, DType::i64};

} // namespace

H5::DataType file_type(DType dtype) {
    switch (dtype) {
    case DType::f32:
        return H5::PredType::IEEE_F32LE;
    case DType::f64:
        return H5::PredType::IEEE_F64LE;
    case DType::f16:
        return half_type();
    case DType::i8:
        return H5::PredType::STD_I8LE;
    case DType::u8:
    case DType::boolean:
        return H5::PredType::STD_U8LE;
    case DType::i16:
        return H5::PredType::STD_I16LE;
    case DType::i32:
        return H5::PredType::STD_I32LE;
    case DType::i64:
        return H5::PredType::STD_I64LE;
    default:
        break;
    }
    throw H5::DataTypeIException("file_type", "no such element type in HDF5");
}

std::optional<DType> element_type(const H5::DataType& type) {
    for (const DType candidate : candidates)
        if (type == file_type(candidate)) return candidate;
    return std::nullopt;
}

H5::DataSpace space_of(const Shape& shape) {
    if (shape.empty()) return H5::DataSpace(H5S_SCALAR);
    const std::vector<hsize_t> axes(shape.begin(), shape.end());
    return {static_cast<int>(axes.size()), axes.data()};
}

Shape shape_of(const H5::DataSpace& space) {
    const int rank = space.isSimple() ? space.getSimpleExtentNdims() : 0;
    std::vector<hsize_t> axes(static_cast<std::size_t>(rank));
    if (rank > 0) space.getSimpleExtentDims(axes.data());
    return {axes.begin(), axes.end()};
}

void write_attribute(const H5::H5Object& object, const char* name, const std::string& value) {
    const H5::StrType type = text_type();
    object.createAttribute(name, type, H5::DataSpace(H5S_SCALAR)).write(type, value);
}

void write_attribute(const H5::H5Object& object, const char* name, const std::vector<std::string>& values) {
    const H5::StrType type = text_type();
    std::vector<const char*> texts;
    texts.reserve(values.size());
    for (const std::string& value : values)
        texts.push_back(value.c_str());
    const H5::Attribute attribute =
        object.createAttribute(name, type, space_of({static_cast<std::int64_t>(values.size())}));
    if (!texts.empty()) attribute.write(type, texts.data());
}

std::string text_attribute(const H5::H5Object& object, const char* name) {
    if (!object.attrExists(name)) return {};
    const H5::Attribute attribute = object.openAttribute(name);
    if (attribute.getTypeClass() != H5T_STRING || attribute.getSpace().getSimpleExtentNpoints() != 1)
        return {};
    std::string value;
    attribute.read(attribute.getStrType(), value);
    return value;
}

std::vector<std::string> texts_attribute(const H5::H5Object& object, const char* name) {
    if (!object.attrExists(name)) return {};
    const H5::Attribute attribute = object.openAttribute(name);
    if (attribute.getTypeClass() != H5T_STRING || !attribute.getStrType().isVariableStr()) return {};
    const H5::DataSpace space = attribute.getSpace();
    std::vector<char*> texts(static_cast<std::size_t>(space.getSimpleExtentNpoints()));
    const H5::StrType type = attribute.getStrType();
    if (!texts.empty()) attribute.read(type, texts.data());
    std::vector<std::string> values;
    values.reserve(texts.size());
    for (const char* text : texts)
        values.emplace_back(text != nullptr ? text : "");
    if (!texts.empty()) H5Dvlen_reclaim(type.getId(), space.getId(), H5P_DEFAULT, texts.data());
    return values;
}

} // namespace vitrine::store
