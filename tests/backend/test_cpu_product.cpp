// Products against float64, and that a row's bits do not depend on its batch, for every routine found here.
#include <cstring>

#include <QTemporaryDir>
#include <QtTest>

#include "core/backend/cpu/blas.h"
#include "core/backend/cpu/kernels.h"
#include "core/backend/cpu/product.h"
#include "core/base/json.h"
#include "tests/backend/nmse.h"

using namespace vitrine;
using namespace vitrine::backend::cpu;
using vitrine::test::exact_budget;
using vitrine::test::nmse;
using vitrine::test::random_floats;

namespace {

/// A weight in memory as a file would hold it.
struct Stored {
    std::vector<std::byte> bytes;
    std::vector<float> values; ///< [in, out], as the file's type rounds them
    model::Weight weight;

    Stored(int in, int out, DType dtype, bool transposed, unsigned seed)
        : values(random_floats(static_cast<std::size_t>(in) * out, seed)) {
        bytes.resize(values.size() * dtype_size(dtype));
        for (int k = 0; k < in; ++k) {
            for (int n = 0; n < out; ++n) {
                float& value = values[static_cast<std::size_t>(k) * out + n];
                const std::size_t at =
                    transposed ? static_cast<std::size_t>(n) * in + k : static_cast<std::size_t>(k) * out + n;
                if (dtype == DType::f32) std::memcpy(&bytes[at * 4], &value, 4);
                if (dtype == DType::f64) {
                    const double wide = value;
                    std::memcpy(&bytes[at * 8], &wide, 8);
                }
                if (dtype != DType::f16 && dtype != DType::bf16) continue;
                const std::uint16_t half =
                    dtype == DType::f16 ? float_to_half(value) : float_to_bfloat(value);
                std::memcpy(&bytes[at * 2], &half, 2);
                value = dtype == DType::f16 ? half_to_float(half) : bfloat_to_float(half);
            }
        }
        weight.data = bytes.data();
        weight.dtype = dtype;
        weight.rows = in;
        weight.cols = out;
        weight.row_stride = transposed ? 1 : out;
        weight.col_stride = transposed ? in : 1;
    }
};

std::vector<double> reference(const Stored& w, const Part& part, const std::vector<float>& x, int rows,
                              const std::vector<float>& bias) {
    std::vector<double> y;
    for (int r = 0; r < rows; ++r) {
        for (std::int64_t n = part.column_begin; n < part.column_end; ++n) {
            double sum = bias[static_cast<std::size_t>(n - part.column_begin)];
            for (std::int64_t k = part.inner_begin; k < part.inner_end; ++k)
                sum += static_cast<double>(
                           x[static_cast<std::size_t>(r * part.inner() + k - part.inner_begin)]) *
                       w.values[static_cast<std::size_t>(k * w.weight.cols + n)];
            y.push_back(sum);
        }
    }
    return y;
}

template <typename S>
std::vector<float> product(const Matrix<S>& matrix, const Part& part, const std::vector<float>& x, int rows,
                           const std::vector<float>& bias) {
    ThreadPool pool(2);
    Workspace<S> workspace;
    const std::vector<S> input(x.begin(), x.end());
    const std::vector<S> start(bias.begin(), bias.end());
    std::vector<S> y(static_cast<std::size_t>(rows * part.columns()));
    multiply<S>(matrix, part, {input.data(), rows, part.inner()}, start.data(), {y.data(), part.columns()},
                workspace, pool, {});
    return {y.begin(), y.end()};
}

void add_routines() {
    QTest::addColumn<int>("routine");
    for (const Routine routine : all_routines)
        if (available(routine))
            QTest::newRow(std::string(name_of(routine)).c_str()) << static_cast<int>(routine);
}

} // namespace

class TestCpuProduct : public QObject {
    Q_OBJECT
private slots:
    void agrees_with_float64_data() { add_routines(); }
    void agrees_with_float64() {
        QFETCH(int, routine);
        ThreadPool pool(2);
        const struct {
            int rows, in, out;
        } shapes[] = {{1, 1, 1},     {1, 768, 100}, {2, 7, 33},    {3, 129, 31},  {12, 64, 64},
                      {13, 65, 400}, {25, 600, 47}, {48, 512, 96}, {49, 513, 97}, {200, 33, 129}};
        for (const auto& shape : shapes) {
            for (const DType dtype : {DType::f32, DType::f16, DType::bf16, DType::f64}) {
                for (const bool transposed : {false, true}) {
                    const Stored w(shape.in, shape.out, dtype, transposed, 1);
                    const auto x = random_floats(static_cast<std::size_t>(shape.rows * shape.in), 2);
                    const auto bias = random_floats(static_cast<std::size_t>(shape.out), 3);
                    const Matrix<float> matrix(w.weight, static_cast<Routine>(routine), pool);
                    const auto y = product(matrix, matrix.whole(), x, shape.rows, bias);
                    const double error = nmse(y, reference(w, matrix.whole(), x, shape.rows, bias));
                    QVERIFY2(error <= exact_budget, qPrintable(QString("%1 × %2 × %3, %4: %5")
                                                                   .arg(shape.rows)
                                                                   .arg(shape.in)
                                                                   .arg(shape.out)
                                                                   .arg(dtype_name(dtype).data())
                                                                   .arg(error)));
                }
            }
        }
    }

    void takes_parts_of_a_matrix_data() { add_routines(); }
    void takes_parts_of_a_matrix() {
        QFETCH(int, routine);
        ThreadPool pool(2);
        const Stored w(100, 130, DType::f32, false, 1);
        const Matrix<float> matrix(w.weight, static_cast<Routine>(routine), pool);
        for (const Part& part : {Part{0, 100, 33, 34}, Part{7, 27, 0, 130}, Part{20, 99, 60, 129}}) {
            const auto x = random_floats(static_cast<std::size_t>(29 * part.inner()), 2);
            const auto bias = random_floats(static_cast<std::size_t>(part.columns()), 3);
            const auto y = product(matrix, part, x, 29, bias);
            QVERIFY(nmse(y, reference(w, part, x, 29, bias)) <= exact_budget);
        }
    }

    void double_is_double() {
        ThreadPool pool(2);
        const Stored w(300, 70, DType::f16, true, 1);
        const auto x = random_floats(50 * 300, 2);
        const std::vector<float> bias(70);
        const Matrix<double> matrix(w.weight, Routine::packed, pool);
        Workspace<double> workspace;
        const std::vector<double> input(x.begin(), x.end());
        std::vector<double> y(50 * 70);
        multiply<double>(matrix, matrix.whole(), {input.data(), 50, 300}, nullptr, {y.data(), 70}, workspace,
                         pool, {});
        const auto want = reference(w, matrix.whole(), x, 50, bias);
        for (std::size_t i = 0; i < y.size(); ++i)
            QVERIFY(std::abs(y[i] - want[i]) < 1e-11);
    }

    void bits_do_not_depend_on_the_batch_data() { add_routines(); }
    void bits_do_not_depend_on_the_batch() {
        QFETCH(int, routine);
        ThreadPool pool(2);
        const Stored w(700, 500, DType::f32, false, 1);
        const Matrix<float> matrix(w.weight, static_cast<Routine>(routine), pool);
        const auto x = random_floats(std::size_t{150} * 700, 2);
        const auto bias = random_floats(500, 3);
        const auto all = product(matrix, matrix.whole(), x, 150, bias);
        // The same rows in batches of other sizes, so at other places of tile and panel. A single row is
        // exempt for the libraries (decoding).
        for (const int rows : {1, 2, 3, 11, 12, 13, 47, 48, 49, 100}) {
            if (rows == 1 && static_cast<Routine>(routine) != Routine::packed) continue;
            for (const int first : {0, 1, 50}) {
                const std::vector<float> some(x.begin() + first * 700, x.begin() + (first + rows) * 700);
                const auto y = product(matrix, matrix.whole(), some, rows, bias);
                QVERIFY(std::memcmp(y.data(), all.data() + first * 500, y.size() * sizeof(float)) == 0);
            }
        }
    }

    void choice_prefers_the_packed_routine_unless_clearly_beaten() {
        QCOMPARE(choose({{Routine::eigen, 100, 50}, {Routine::packed, 95, 60}}), Routine::packed);
        QCOMPARE(choose({{Routine::packed, 50, 10}, {Routine::onednn, 79, 27}, {Routine::blis, 75, 49}}),
                 Routine::onednn);
        QCOMPARE(choose({{Routine::packed, 50, 60}, {Routine::onednn, 79, 27}}), Routine::packed);
        QCOMPARE(choose({{Routine::packed, 50, 10}, {Routine::eigen, 56, 27}, {Routine::blis, 75, 49}}),
                 Routine::blis);
    }

    void the_choice_is_remembered_by_processor() {
        QTemporaryDir folder;
        const std::filesystem::path file = folder.filePath("deep/products.json").toStdString();
        const Routine measured = remembered_routine(file);
        auto memory = read_json(file);
        QVERIFY(memory.has_value());
        QCOMPARE((*memory)[processor_name()]["routine"].get<std::string>(), std::string(name_of(measured)));
        (*memory)[processor_name()]["routine"] = "eigen";
        QFile out(QString::fromStdString(file.string()));
        QVERIFY(out.open(QFile::WriteOnly));
        out.write(dump_json(*memory).c_str());
        out.close();
        QCOMPARE(remembered_routine(file), Routine::eigen);
    }

    void a_broken_memory_is_measured_again() {
        QTemporaryDir folder;
        const QString file = folder.filePath("products.json");
        QFile out(file);
        QVERIFY(out.open(QFile::WriteOnly));
        out.write("{\"");
        out.close();
        remembered_routine(file.toStdString());
        QVERIFY(read_json(file.toStdString()).has_value());
    }
};

QTEST_GUILESS_MAIN(TestCpuProduct)
#include "test_cpu_product.moc"
