#include "core/analysis/float_product.h"

#include <algorithm>
#include <vector>

// The product is compiled once per vector width and chosen when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define VITRINE_EVERY_WIDTH __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#else
#define VITRINE_EVERY_WIDTH
#endif

namespace vitrine::analysis {

namespace {

constexpr int row_group = 4; // rows that share a load of the weights
constexpr int columns = 128; // of a block: row_group · columns sums stay in the first-level cache
constexpr int depth = 64;    // terms summed in float32 before they join the total: bounds rounding

// out[4, count] = x[4, width] · w[width, count], rows of w and out `stride` apart.
VITRINE_EVERY_WIDTH
void product_block(const float* x, int width, const float* w, std::int64_t stride, int count, float* out) {
    float total[row_group][columns] = {};
    for (int first = 0; first < width; first += depth) {
        float part[row_group][columns] = {};
        const int last = std::min(first + depth, width);
        for (int k = first; k < last; ++k) {
            const float* line = w + k * stride;
            const float x0 = x[k], x1 = x[width + k], x2 = x[2 * width + k], x3 = x[3 * width + k];
            for (int c = 0; c < count; ++c) {
                part[0][c] += x0 * line[c];
                part[1][c] += x1 * line[c];
                part[2][c] += x2 * line[c];
                part[3][c] += x3 * line[c];
            }
        }
        for (int r = 0; r < row_group; ++r)
            for (int c = 0; c < count; ++c)
                total[r][c] += part[r][c];
    }
    for (int r = 0; r < row_group; ++r)
        std::copy(total[r], total[r] + count, out + r * stride);
}

} // namespace

void float_product(const float* x, int rows, int width, const float* w, int columns_of_w, float* out) {
    const std::int64_t stride = columns_of_w;
    const int whole = rows / row_group * row_group;
    for (int column = 0; column < columns_of_w; column += columns)
        for (int row = 0; row < whole; row += row_group)
            product_block(x + std::int64_t{row} * width, width, w + column, stride,
                          std::min(columns, columns_of_w - column), out + row * stride + column);
    if (whole == rows) return;
    // The last rows, with rows of zeros below them.
    std::vector<float> last(static_cast<std::size_t>(row_group) * static_cast<std::size_t>(width));
    std::copy(x + std::int64_t{whole} * width, x + std::int64_t{rows} * width, last.begin());
    std::vector<float> lines(static_cast<std::size_t>(row_group * stride));
    for (int column = 0; column < columns_of_w; column += columns)
        product_block(last.data(), width, w + column, stride, std::min(columns, columns_of_w - column),
                      lines.data() + column);
    std::copy_n(lines.begin(), (rows - whole) * stride, out + whole * stride);
}

} // namespace vitrine::analysis
