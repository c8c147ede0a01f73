#include "views/figure/matrix.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::figure {

namespace {

using Table = std::array<QRgb, 256>;

Table table_of(Map map, const CellStyle& style) {
    Table out{};
    for (int i = 0; i < 256; ++i)
        out[static_cast<std::size_t>(i)] =
            blend(style.ground, colour_at(map, i / 255.0), style.opacity).rgb();
    return out;
}

} // namespace

Matrix make_matrix(int rows, int cols, std::vector<float> values) {
    Matrix out;
    out.tensor = std::make_shared<const Tensor>(Shape{rows, cols}, std::move(values));
    out.rows = rows;
    out.cols = cols;
    return out;
}

QColor value_colour(float value, bool marked, const CellStyle& style) {
    if (std::isnan(value)) return {};
    return blend(style.ground, colour_at(marked ? Map::sink : style.scale.map, style.scale.position(value)),
                 style.opacity);
}

QColor cell_colour(const Matrix& matrix, const CellStyle& style, int row, int col) {
    if (style.causal && col > row) return {};
    return value_colour(matrix.at(row, col),
                        !style.marked.empty() && style.marked[static_cast<std::size_t>(col)], style);
}

QImage cells_image(const Matrix& matrix, const CellStyle& style, const QRect& view, const QSize& limit) {
    const QSize size(std::max(1, std::min(view.width(), limit.width())),
                     std::max(1, std::min(view.height(), limit.height())));
    QImage image(size, QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::transparent);
    if (matrix.empty() || view.isEmpty()) return image;
    const Table plain = table_of(style.scale.map, style), sink = table_of(Map::sink, style);
    const bool differences = style.scale.map == Map::diverging || style.scale.map == Map::diverging_dark;
    const auto first_col = [&](int x) {
        return view.left() + static_cast<int>(std::int64_t{x} * view.width() / size.width());
    };
    const auto first_row = [&](int y) {
        return view.top() + static_cast<int>(std::int64_t{y} * view.height() / size.height());
    };
    for (int y = 0; y < size.height(); ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        for (int x = 0; x < size.width(); ++x) {
            float largest = -INFINITY; // or farthest from zero, where less than zero counts as much
            bool marked = false;
            for (int row = first_row(y); row < std::max(first_row(y) + 1, first_row(y + 1)); ++row) {
                for (int col = first_col(x); col < std::max(first_col(x) + 1, first_col(x + 1)); ++col) {
                    if (style.causal && col > row) break;
                    const float value = matrix.at(row, col);
                    if (std::isnan(value)) continue;
                    const bool stands_out = differences
                                                ? largest == -INFINITY || std::abs(value) > std::abs(largest)
                                                : value > largest;
                    if (!stands_out) continue;
                    largest = value;
                    marked = !style.marked.empty() && style.marked[static_cast<std::size_t>(col)];
                }
            }
            if (largest == -INFINITY) continue;
            const auto step = static_cast<std::size_t>(std::lround(255 * style.scale.position(largest)));
            line[x] = (marked ? sink : plain)[step];
        }
    }
    return image;
}

} // namespace vitrine::figure
