// Numbers of analyses as files, read back by our readers of those formats.
#include <QtTest>

#include <cmath>
#include <filesystem>
#include <limits>

#include "core/base/mapped_file.h"
#include "core/engine/export_data.h"
#include "core/formats/npy.h"
#include "core/formats/npz.h"
#include "core/store/activation_reader.h"

using namespace vitrine;
using namespace vitrine::engine;

namespace {

const DataSource source = {
    "lens", {{"top", 2}}, {{"model", "default"}, {"device", "cpu"}, {"precision", "exact"}}};

std::vector<ResultValue> results() {
    ResultValue matrix;
    matrix.name = "alpha";
    matrix.kind = "matrix";
    matrix.axes = {{"layer", 2, {}}, {"token", 2, {"a,b", "c"}}};
    matrix.data = {1, 0.1, std::numeric_limits<double>::quiet_NaN(), 4};
    ResultValue table;
    table.name = "top";
    table.kind = "table";
    table.json =
        Json::array({Json{{"token", "x\"y"}, {"prob", 0.25}}, Json{{"token", "z"}, {"prob", nullptr}}});
    return {matrix, table};
}

} // namespace

class TestExportData : public QObject {
    Q_OBJECT
private slots:
    void npz() {
        const auto file = path("numbers.npz");
        QVERIFY(export_data(file, source, results()).has_value());
        const auto arrays = formats::read_npz(file);
        QVERIFY(arrays.has_value());
        const auto& alpha = arrays->at("alpha");
        QVERIFY(alpha.dtype == DType::f64);
        QVERIFY(alpha.shape == (Shape{2, 2}));
        QCOMPARE(alpha.to_float().data[1], 0.1F);
        QCOMPARE(arrays->at("top.prob").to_float().data[0], 0.25F);
        QVERIFY(std::isnan(arrays->at("top.prob").to_float().data[1]));
        QVERIFY(!arrays->contains("top.token")); // no numbers
        const auto& bytes = arrays->at("document").bytes;
        const Json document = Json::parse(reinterpret_cast<const char*>(bytes.data()),
                                          reinterpret_cast<const char*>(bytes.data()) + bytes.size());
        QCOMPARE(document["provenance"]["device"].get<std::string>(), std::string("cpu"));
        QCOMPARE(document["results"][1]["data"][0]["token"].get<std::string>(), std::string("x\"y"));
    }

    void npy_holds_the_first_array() {
        const auto file = path("numbers.npy");
        QVERIFY(export_data(file, source, results()).has_value());
        const auto array = formats::read_npy(file);
        QVERIFY(array.has_value());
        QVERIFY(array->dtype == DType::f32);
        QVERIFY(array->shape == (Shape{2, 2}));
        QCOMPARE(array->to_float().data[3], 4.0F);
        const auto none = export_data(path("none.npy"), source, {results()[1]}); // a table alone
        QVERIFY(!none.has_value());
        QVERIFY(!std::filesystem::exists(path("none.npy")));
    }

    void csv() {
        const auto file = path("numbers.csv");
        QVERIFY(export_data(file, source, results()).has_value());
        const auto text = read_text(file);
        QVERIFY(text.has_value());
        QCOMPARE(QString::fromStdString(*text), QStringLiteral("result,layer,token,value,prob\r\n"
                                                               "alpha,0,\"a,b\",1,\r\n"
                                                               "alpha,0,c,0.1,\r\n"
                                                               "alpha,1,\"a,b\",,\r\n"
                                                               "alpha,1,c,4,\r\n"
                                                               "top,,\"x\"\"y\",,0.25\r\n"
                                                               "top,,z,,\r\n"));
    }

    void h5() {
        const auto file = path("numbers.h5");
        QVERIFY(export_data(file, source, results()).has_value());
        const auto reader = store::ActivationReader::open(file);
        QVERIFY(reader.has_value());
        QCOMPARE(reader->header()->model, std::string("default"));
        QVERIFY(reader->labels("/results/alpha")->axes == (std::vector<std::string>{"layer", "token"}));
        QCOMPARE(reader->read("/results/alpha")->data[3], 4.0F);
        QVERIFY(reader->read_text("/document").has_value());
    }

    void what_cannot_be_written_leaves_nothing() {
        QCOMPARE(export_data(path("numbers.xls"), source, results()).error().code, Code::usage);
        for (const char* name : {"none/numbers.npz", "none/numbers.csv", "none/numbers.h5"})
            QCOMPARE(export_data(path(name), source, results()).error().code, Code::io);
        QVERIFY(!QFileInfo::exists(folder_.filePath("none")));
    }

private:
    std::filesystem::path path(const char* name) const { return folder_.filePath(name).toStdString(); }
    QTemporaryDir folder_;
};

QTEST_GUILESS_MAIN(TestExportData)
#include "test_export_data.moc"
