#include "core/analysis/dense.h"

#include <algorithm>
#include <cmath>

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>

namespace vitrine::analysis {

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<const RowMajor>;

constexpr std::int64_t rows_at_once = 512; // of a large matrix, widened to double

Map map_of(const Dense& a) { return {a.data.data(), a.rows, a.cols}; }

Dense dense_of(const RowMajor& a) {
    Dense out(static_cast<int>(a.rows()), static_cast<int>(a.cols()));
    std::copy_n(a.data(), out.data.size(), out.data.begin());
    return out;
}

} // namespace

Dense columns_of(sdk::View matrix, int first, int count) {
    Dense out(static_cast<int>(matrix.size(0)), count);
    for (int r = 0; r < out.rows; ++r)
        std::copy_n(matrix[r].data() + first, count, out.data.begin() + std::ptrdiff_t{r} * count);
    return out;
}

Dense rows_of(sdk::View matrix, int first, int count) {
    Dense out(count, static_cast<int>(matrix.size(1)));
    std::copy_n(matrix[first].data(), out.data.size(), out.data.begin());
    return out;
}

Dense transposed(const Dense& a) {
    Dense out(a.cols, a.rows);
    for (int r = 0; r < a.rows; ++r)
        for (int c = 0; c < a.cols; ++c)
            out(c, r) = a(r, c);
    return out;
}

Dense product(const Dense& a, const Dense& b) {
    const RowMajor c = map_of(a) * map_of(b);
    return dense_of(c);
}

double frobenius(const Dense& a) { return map_of(a).norm(); }

Dense triangular_factor(const Dense& tall) {
    const Eigen::HouseholderQR<RowMajor> qr(map_of(tall));
    const RowMajor r = qr.matrixQR().topRows(tall.cols).triangularView<Eigen::Upper>();
    return dense_of(r);
}

std::vector<double> singular_values(const Dense& a) {
    const Eigen::BDCSVD<Eigen::MatrixXd> svd(map_of(a));
    const auto& values = svd.singularValues();
    return {values.data(), values.data() + values.size()};
}

std::vector<double> singular_values(sdk::View matrix, const std::function<bool(double)>& go_on) {
    const std::int64_t rows = matrix.size(0);
    const std::int64_t cols = matrix.size(1);
    const bool wide = cols > rows;
    const std::int64_t side = std::min(rows, cols);
    const std::int64_t length = std::max(rows, cols);
    const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> all(
        matrix.data(), rows, cols);
    Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(side, side);
    for (std::int64_t first = 0; first < length; first += rows_at_once) {
        // What the eigenvalues take besides is about as much as `side` more lines.
        if (!go_on(static_cast<double>(first) / static_cast<double>(length + side))) return {};
        const std::int64_t count = std::min(rows_at_once, length - first);
        const Eigen::MatrixXd part =
            wide ? Eigen::MatrixXd(all.middleCols(first, count).cast<double>())
                 : Eigen::MatrixXd(all.middleRows(first, count).transpose().cast<double>());
        gram.selfadjointView<Eigen::Lower>().rankUpdate(part);
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram, Eigen::EigenvaluesOnly);
    std::vector<double> values;
    for (Eigen::Index i = side; i-- > 0;)
        values.push_back(std::sqrt(std::max(solver.eigenvalues()[i], 0.0)));
    return values;
}

std::vector<std::complex<double>> eigenvalues(const Dense& square) {
    const Eigen::EigenSolver<Eigen::MatrixXd> solver(map_of(square), false);
    const auto& found = solver.eigenvalues();
    std::vector<std::complex<double>> values(found.data(), found.data() + found.size());
    std::stable_sort(values.begin(), values.end(),
                     [](const auto& a, const auto& b) { return std::abs(a) > std::abs(b); });
    return values;
}

} // namespace vitrine::analysis
