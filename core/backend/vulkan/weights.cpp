#include "core/backend/vulkan/weights.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "core/backend/vulkan/matmul.h"
#include "core/base/mapped_pages.h"
#include "core/base/quantized.h"

namespace vitrine::backend::vulkan {

namespace {

/// Tables are read a row at a time by token or position.
bool is_table(const model::Weight& weight) { return weight.name == "W_E" || weight.name == "W_pos"; }

/// Where element i of an axis stands once its blocks are padded.
std::int64_t padded_index(std::int64_t i, std::int64_t size, Blocks blocks) {
    const std::int64_t width = size / blocks.heads;
    const std::int64_t pitch = (width + blocks.pad - 1) / blocks.pad * blocks.pad;
    return i / width * pitch + i % width;
}

std::int64_t padded_size(std::int64_t size, Blocks blocks) {
    const std::int64_t width = size / blocks.heads;
    return blocks.heads * ((width + blocks.pad - 1) / blocks.pad * blocks.pad);
}

/// Columns of a weight, one after another as they are stored.
class Columns {
public:
    Columns(const model::Weight& weight, std::size_t pitch) : weight_(weight), pitch_(pitch) {}

    /// False if an element is not finite.
    bool write(std::int64_t column, std::byte* out) const {
        const std::size_t bytes = stored_bytes(weight_.dtype, weight_.rows);
        if (weight_.row_stride == 1) {
            std::memcpy(out, weight_.at(0, column), bytes);
        } else {
            for (std::int64_t r = 0; r < weight_.rows; ++r)
                std::memcpy(out + 2 * r, weight_.at(r, column), 2);
        }
        std::memset(out + bytes, 0, pitch_ - bytes);
        return finite_elements(weight_.dtype, out, weight_.rows);
    }

private:
    const model::Weight& weight_;
    std::size_t pitch_;
};

/// One head if the blocks need no padding: the plain copy serves.
Blocks simplest(std::int64_t size, Blocks blocks) {
    return size / blocks.heads % blocks.pad == 0 ? Blocks{1, 4} : blocks;
}

bool all_finite(std::span<const float> numbers) {
    std::uint32_t found = 0; // no early exit, so that the loop is vectorised
    for (float number : numbers)
        found |= (std::bit_cast<std::uint32_t>(number) & 0x7F800000U) == 0x7F800000U;
    return found == 0;
}

Error not_finite(const model::Weight& weight) {
    return {Code::malformed,
            fmt::format("The weight {} holds NaN or infinite numbers; the file is damaged or was "
                        "saved from a diverged training.",
                        weight.name)};
}

/// Writes a matrix panel by panel.
class Packer {
public:
    Packer(const model::Weight& weight, Blocks in, Blocks out, std::uint32_t width)
        : weight_(weight), in_(in), width_(width) {
        // Column of the padded matrix → column of the weight, −1 for padding.
        source_.assign(static_cast<std::size_t>(padded_size(weight.cols, out)), -1);
        for (std::int64_t c = 0; c < weight.cols; ++c)
            source_[static_cast<std::size_t>(padded_index(c, weight.cols, out))] = c;
    }

    /// False if a weight is not finite.
    bool panel(std::size_t index, std::span<float> out) {
        std::fill(out.begin(), out.end(), 0.0F);
        const std::size_t first = index * width_;
        if (first >= source_.size()) return true;
        const std::size_t columns = std::min<std::size_t>(width_, source_.size() - first);
        const std::span<const std::int64_t> source(source_.data() + first, columns);
        if (weight_.rows_are_dense())
            by_rows(source, out);
        else
            by_columns(source, out);
        return all_finite(out);
    }

private:
    const std::byte* at(std::int64_t r, std::int64_t c) const { return weight_.at(r, c); }

    void by_rows(std::span<const std::int64_t> source, std::span<float> out) {
        row_.resize(source.size());
        for (std::int64_t r = 0; r < weight_.rows; ++r) {
            float* target = out.data() + padded_index(r, weight_.rows, in_) * width_;
            for (std::size_t i = 0; i < source.size();) { // runs of columns that lie together
                if (source[i] < 0) {
                    ++i;
                    continue;
                }
                std::size_t count = 1;
                while (i + count < source.size() &&
                       source[i + count] == source[i] + static_cast<std::int64_t>(count))
                    ++count;
                if (in_blocks(weight_.dtype)) { // which may begin before these columns
                    row_.resize(static_cast<std::size_t>(source[i]) + count);
                    widen(weight_.dtype, at(r, 0), row_);
                    std::copy(row_.end() - static_cast<std::ptrdiff_t>(count), row_.end(), target + i);
                } else {
                    widen(weight_.dtype, at(r, source[i]), {target + i, count});
                }
                i += count;
            }
        }
    }

    void by_columns(std::span<const std::int64_t> source, std::span<float> out) {
        row_.resize(static_cast<std::size_t>(weight_.rows));
        for (std::size_t i = 0; i < source.size(); ++i) {
            if (source[i] < 0) continue;
            if (weight_.row_stride == 1) {
                widen(weight_.dtype, at(0, source[i]), row_);
            } else {
                for (std::int64_t r = 0; r < weight_.rows; ++r)
                    widen(weight_.dtype, at(r, source[i]), {&row_[static_cast<std::size_t>(r)], 1});
            }
            for (std::int64_t r = 0; r < weight_.rows; ++r)
                out[static_cast<std::size_t>(padded_index(r, weight_.rows, in_)) * width_ + i] =
                    row_[static_cast<std::size_t>(r)];
        }
    }

    const model::Weight& weight_;
    Blocks in_;
    std::size_t width_;
    std::vector<std::int64_t> source_;
    std::vector<float> row_;
};

} // namespace

Weights::Weights(Device& device, const model::Model& model) : device_(device), model_(model) {
    std::uint64_t widened = 0;
    for (const model::Weight& weight : model.weights)
        widened += static_cast<std::uint64_t>(weight.rows * weight.cols) * sizeof(float);
    const DeviceCaps& caps = device.caps();
    // A software device computes from what is widened much faster. On a card runs need room, too, and
    // widening takes longer than it saves: for 7 billion parameters 71 s of opening against 5, and 1.9 s for
    // 16 tokens against 2.3 (H200).
    const std::uint64_t most = std::uint64_t{4} << 30;
    const std::uint64_t room =
        caps.software() ? caps.memory_bytes / 4 * 3 : std::min(caps.memory_bytes / 4, most);
    // For measuring and for tests: "stored" keeps the file's types, "widened" does not.
    const char* given = std::getenv("VITRINE_VULKAN_WEIGHTS");
    const std::string_view choice = given != nullptr ? given : "";
    little_room_ = choice == "stored" || (choice != "widened" && widened > room);
}

bool Weights::stays_narrow(model::WeightId id) const {
    const model::Weight& weight = model_.at(id);
    if (!little_room_ || weight.rows == 1) return false;
    if (is_table(weight) && !shares_its_twins_copy(id)) return true;
    if (in_blocks(weight.dtype)) return weight.row_stride == 1;
    return weight.dtype == DType::f16 || weight.dtype == DType::bf16;
}

Weights::MatrixKey Weights::key_of(const model::Weight& weight, Blocks in, Blocks out) const {
    return {weight.data,       weight.rows, weight.cols, weight.row_stride,
            weight.col_stride, in.heads,    out.heads,   out.pad};
}

model::WeightId Weights::twin_of(model::WeightId id) const {
    const model::Weight& weight = model_.at(id);
    for (model::WeightId other = 0; other < static_cast<model::WeightId>(model_.weights.size()); ++other) {
        const model::Weight& candidate = model_.at(other);
        if (other != id && candidate.data == weight.data && candidate.dtype == weight.dtype &&
            candidate.rows == weight.cols && candidate.cols == weight.rows &&
            candidate.row_stride == weight.col_stride && candidate.col_stride == weight.row_stride)
            return other;
    }
    return model::no_weight;
}

Status Weights::check_room() const {
    std::uint64_t bytes = 0;
    for (model::WeightId id = 0; id < static_cast<model::WeightId>(model_.weights.size()); ++id) {
        const model::Weight& weight = model_.at(id);
        if (shares_its_twins_copy(id) || (stays_narrow(id) && is_table(weight))) continue;
        const std::int64_t elements = weight.rows * weight.cols;
        bytes += stays_narrow(id) ? stored_bytes(weight.dtype, elements)
                                  : static_cast<std::uint64_t>(elements) * sizeof(float);
    }
    const DeviceCaps& caps = device_.caps();
    if (bytes <= caps.memory_bytes) return {};
    return fail(Code::out_of_memory,
                fmt::format("The model's weights take {} MiB and {} has {} MiB; use --device cpu.",
                            bytes >> 20, caps.name, caps.memory_bytes >> 20));
}

bool Weights::shares_its_twins_copy(model::WeightId id) const {
    // The embedding of a tied model is the unembedding's copy, read by column.
    return model_.at(id).rows == model_.spec.vocab && twin_of(id) != model::no_weight;
}

Status Weights::upload(const CancelToken& cancel, const Progress& progress) {
    VITRINE_TRY(check_room());
    const auto count = static_cast<model::WeightId>(model_.weights.size());
    const MappedPages pages;
    for (model::WeightId id = 0; id < count; ++id) {
        VITRINE_TRY(cancel.check());
        const model::Weight& weight = model_.at(id);
        if (progress) progress(static_cast<double>(id) / count, fmt::format("uploading {}", weight.name));
        if (weight.rows == 1) {
            VITRINE_TRY(vector(id, 1));
            continue;
        }
        if (shares_its_twins_copy(id)) continue;
        if (stays_narrow(id) && is_table(weight)) {
            for (std::int64_t row = 0; row < weight.rows; ++row) {
                const bool dense = weight.rows_are_dense();
                const Tensor strided = dense ? Tensor() : widened(row_of(weight, row));
                if (dense ? !finite_elements(weight.dtype, weight.at(row, 0), weight.cols)
                          : !all_finite(strided.data))
                    return tl::unexpected(not_finite(weight));
            }
            continue;
        }
        VITRINE_TRY(matrix(id, {}, {}));
        pages.drop(weight.data, weight.span_bytes());
    }
    return {};
}

Result<const PackedMatrix*> Weights::matrix(model::WeightId id, Blocks in, Blocks out) {
    const model::Weight& weight = model_.at(id);
    in = simplest(weight.rows, in);
    out = simplest(weight.cols, out);
    const MatrixKey key = key_of(weight, in, out);
    if (const auto found = matrices_.find(key); found != matrices_.end()) return &found->second;

    const std::uint32_t width = panel_width(device_.caps());
    const std::uint32_t padding = column_padding(device_.caps());
    // The axis of a plain copy is padded at its end.
    const std::int64_t k = (padded_size(weight.rows, in) + 3) / 4 * 4;
    // A wide tile that starts at the last panel of a head must not read beyond the end.
    const std::int64_t n =
        (padded_size(weight.cols, out) + padding - 1) / padding * padding + padding - width;
    PackedMatrix packed;
    packed.k4 = static_cast<std::uint32_t>(k / 4);
    packed.columns = static_cast<std::uint32_t>(n);
    packed.panel = static_cast<std::uint32_t>(k * width / 4);
    if (stays_narrow(id)) {
        VITRINE_ASSIGN(packed.narrow, narrow(id));
        packed.weight = &weight;
        packed.in = in;
        packed.out = out;
        return &matrices_.emplace(key, std::move(packed)).first->second;
    }
    VITRINE_ASSIGN(packed.buffer,
                   Buffer::create(device_, static_cast<std::uint64_t>(k) * static_cast<std::uint64_t>(n) * 4,
                                  Where::device));
    Packer packer(weight, in, out, width);
    const std::uint64_t panel_bytes = static_cast<std::uint64_t>(k) * width * 4;
    VITRINE_TRY(device_.write(
        packed.buffer, panel_bytes, [&](std::span<std::byte> part, std::uint64_t offset) -> Status {
            for (std::uint64_t at = 0; at < part.size(); at += panel_bytes)
                if (!packer.panel((offset + at) / panel_bytes,
                                  {reinterpret_cast<float*>(part.data() + at), panel_bytes / 4}))
                    return tl::unexpected(not_finite(weight));
            return {};
        }));
    bytes_ += packed.buffer.bytes();
    return &matrices_.emplace(key, std::move(packed)).first->second;
}

Result<const NarrowMatrix*> Weights::narrow(model::WeightId id) {
    if (const auto found = narrow_.find(id); found != narrow_.end()) return &found->second;
    const model::Weight& weight = model_.at(id);
    NarrowMatrix matrix;
    const std::size_t pitch = (stored_bytes(weight.dtype, weight.rows) + 3) / 4 * 4;
    matrix.column_bytes = static_cast<std::uint32_t>(pitch);
    VITRINE_ASSIGN(matrix.buffer,
                   Buffer::create(device_, static_cast<std::uint64_t>(weight.cols) * pitch, Where::device));
    const Columns columns(weight, pitch);
    VITRINE_TRY(
        device_.write(matrix.buffer, pitch, [&](std::span<std::byte> part, std::uint64_t offset) -> Status {
            for (std::uint64_t at = 0; at + pitch <= part.size(); at += pitch) {
                const auto column = static_cast<std::int64_t>((offset + at) / pitch);
                if (column < weight.cols && !columns.write(column, part.data() + at))
                    return tl::unexpected(not_finite(weight));
            }
            return {};
        }));
    bytes_ += matrix.buffer.bytes();
    return &narrow_.emplace(id, std::move(matrix)).first->second;
}

Result<Slice> Weights::vector(model::WeightId id, int heads) {
    const model::Weight& weight = model_.at(id);
    const std::int64_t size = weight.rows * weight.cols;
    const Blocks blocks = simplest(size, {heads, 4});
    const std::pair key{id, blocks.heads};
    if (const auto found = vectors_.find(key); found != vectors_.end()) return Slice{&found->second, 0, 0};

    const Tensor dense = widened(weight);
    if (!all_finite(dense.data)) return tl::unexpected(not_finite(weight));
    VITRINE_ASSIGN(
        Buffer buffer,
        Buffer::create(device_, static_cast<std::uint64_t>(padded_size(size, blocks)) * 4, Where::device));
    VITRINE_TRY(
        device_.write(buffer, buffer.bytes(), [&](std::span<std::byte> part, std::uint64_t) -> Status {
            std::memset(part.data(), 0, part.size());
            auto* out = reinterpret_cast<float*>(part.data());
            for (std::int64_t i = 0; i < size; ++i)
                out[padded_index(i, size, blocks)] = dense.data[static_cast<std::size_t>(i)];
            return {};
        }));
    bytes_ += buffer.bytes();
    return Slice{&vectors_.emplace(key, std::move(buffer)).first->second, 0, 0};
}

Result<Table> Weights::table(model::WeightId id) {
    const model::WeightId product = twin_of(id);
    if (stays_narrow(id) || (product != model::no_weight && stays_narrow(product))) return Table{};
    const auto plain = matrices_.find(
        key_of(model_.at(id), simplest(model_.at(id).rows, {}), simplest(model_.at(id).cols, {})));
    if (plain != matrices_.end()) return Table{&plain->second, false};
    if (const model::WeightId twin = twin_of(id); twin != model::no_weight) {
        VITRINE_ASSIGN(const PackedMatrix* shared, matrix(twin, {}, {}));
        return Table{shared, true};
    }
    VITRINE_ASSIGN(const PackedMatrix* own, matrix(id, {}, {}));
    return Table{own, false};
}

} // namespace vitrine::backend::vulkan
