// .npy and .npz against files that numpy wrote.
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>

#include "core/base/mapped_file.h"
#include "core/formats/npy.h"
#include "core/formats/npz.h"

using namespace vitrine;
using namespace vitrine::formats;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = fs::path(VITRINE_FIXTURES) / "formats";
const std::vector<float> values{1.5F, -2.0F, 0.25F, 0.0F, 1e-3F, 1024.0F};

std::string bytes_of(const fs::path& path) { return read_text(path).value(); }

} // namespace

class TestNpy : public QObject {
    Q_OBJECT

    QTemporaryDir temporary_;
    fs::path folder_ = temporary_.path().toStdString();

private slots:
    void numpy_files_are_read_and_written_bit_for_bit_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<Shape>("shape");
        for (const char* name : {"float64", "float32", "float16", "int64", "int32"})
            QTest::newRow(name) << name << Shape{2, 3};
        QTest::newRow("scalar") << "scalar" << Shape{};
        QTest::newRow("row") << "row" << Shape{5};
    }

    void numpy_files_are_read_and_written_bit_for_bit() {
        QFETCH(QString, name);
        const fs::path path = fixtures / (name.toStdString() + ".npy");
        const auto array = read_npy(path);
        QVERIFY2(array, array ? "" : array.error().message.c_str());
        QTEST(array->shape, "shape");
        QCOMPARE(*npy_bytes(array->view()), bytes_of(path));
    }

    void elements_widen_to_float() {
        QCOMPARE(read_npy(fixtures / "float64.npy")->to_float().data, values);
        QCOMPARE(read_npy(fixtures / "version2.npy")->to_float().data, values);
        QCOMPARE(read_npy(fixtures / "int32.npy")->to_float().data,
                 (std::vector<float>{1, -2, 0, 0, 0, 1024}));
        QCOMPARE(read_npy(fixtures / "float16.npy")->to_float().data[5], 1024.0F);
    }

    void bad_files_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("says");
        const QByteArray good = QByteArray::fromStdString(bytes_of(fixtures / "float32.npy"));
        const auto changed = [&](const char* from, const char* to) {
            return QByteArray(good).replace(from, to);
        };
        QTest::newRow("empty") << QByteArray() << "not a .npy file";
        QTest::newRow("foreign") << QByteArray("PK\3\4 something else") << "not a .npy file";
        QTest::newRow("version") << changed("NUMPY\1", "NUMPY\7") << "version 7";
        QTest::newRow("cut in header") << good.left(40) << "truncated within its header";
        QTest::newRow("cut in data") << good.chopped(1)
                                     << "23 bytes of data where its shape and type need 24";
        QTest::newRow("rest") << good + "x"
                              << "25 bytes";
        QTest::newRow("no descr") << changed("descr", "DESCR") << "without descr";
        QTest::newRow("negative axis") << changed("(2, 3)", "(2,-3)") << "a shape that is not one";
        QTest::newRow("2^63 rows") << changed("(2, 3), }            ", "(9223372036854775807)") << "not one";
        QTest::newRow("2^60 rows") << changed("(2, 3), }            ", "(1152921504606846976)") << "need";
        for (const char* name : {"fortran", "big_endian", "complex"})
            QTest::newRow(name) << QByteArray::fromStdString(
                                       bytes_of(fixtures / (std::string(name) + ".npy")))
                                << (std::string(name) == "fortran" ? "Fortran order" : "does not read");
    }

    void bad_files() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, says);
        const auto array = parse_npy(
            std::as_bytes(std::span(bytes.data(), static_cast<std::size_t>(bytes.size()))), "vector.npy");
        QVERIFY(!array);
        QVERIFY2(QString::fromStdString(array.error().message).contains(says), array.error().message.c_str());
        QVERIFY(array.error().message.starts_with("vector.npy"));
    }

    void an_archive_of_numpy_is_read() {
        const auto arrays = read_npz(fixtures / "compressed.npz");
        QVERIFY2(arrays, arrays ? "" : arrays.error().message.c_str());
        QCOMPARE(arrays->size(), std::size_t{2});
        QCOMPARE(arrays->at("first").to_float().data, values);
        QCOMPARE(arrays->at("second").dtype, DType::i64);
    }

    void an_archive_holds_what_was_written() {
        const auto first = read_npy(fixtures / "float16.npy");
        const auto second = read_npy(fixtures / "scalar.npy");
        const std::vector<NamedView> arrays{{"first", first->view()}, {"Größe", second->view()}};
        const fs::path path = folder_ / "out.npz";
        QVERIFY(write_npz(path, arrays));
        const auto back = read_npz(path);
        QVERIFY2(back, back ? "" : back.error().message.c_str());
        QVERIFY(back->at("first").bytes == first->bytes && back->at("first").shape == first->shape);
        QVERIFY(back->at("Größe").bytes == second->bytes);
        const std::string bytes = bytes_of(path);
        QVERIFY2(bytes.find(bytes_of(fixtures / "float16.npy")) != std::string::npos, "entries are stored");
        QVERIFY(write_npz(path, arrays));
        QCOMPARE(bytes_of(path), bytes);
    }

    void a_damaged_archive_is_refused() {
        std::string bytes = bytes_of(fixtures / "compressed.npz");
        bytes[60] = static_cast<char>(~bytes[60]);
        std::ofstream(folder_ / "bad.npz", std::ios::binary) << bytes;
        QCOMPARE(read_npz(folder_ / "bad.npz").error().code, Code::malformed);
        std::ofstream(folder_ / "text.npz") << "no zip";
        QCOMPARE(read_npz(folder_ / "text.npz").error().code, Code::malformed);
        QCOMPARE(read_npz(folder_ / "missing.npz").error().code, Code::not_found);
    }

    void what_cannot_be_written_says_so() {
        const Tensor row({2});
        QCOMPARE(write_npy("/nowhere/x.npy", row.view()).error().code, Code::io);
        QCOMPARE(write_npz("/nowhere/x.npz", std::vector<NamedView>{{"a", row.view()}}).error().code,
                 Code::io);
        TensorView half = row.view();
        half.dtype = DType::bf16;
        QCOMPARE(npy_bytes(half).error().code, Code::unsupported);
    }
};

QTEST_GUILESS_MAIN(TestNpy)
#include "test_npy.moc"
