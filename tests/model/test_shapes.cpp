// Shapes of `bench`: the sizes that the published models have, and weights that read inside their table.
#include <QtTest>

#include <cmath>

#include "core/model/shapes.h"

using namespace vitrine;

class TestShapes : public QObject {
    Q_OBJECT
private slots:
    void parameters_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<qint64>("parameters");
        // As transformers counts them for the published configurations.
        QTest::newRow("gpt2-small") << "gpt2-small" << qint64{124439808};
        QTest::newRow("llama-160m") << "llama-160m" << qint64{162417408};
        QTest::newRow("llama-1.1b") << "llama-1.1b" << qint64{1100048384};
    }
    void parameters() {
        QFETCH(QString, name);
        QFETCH(qint64, parameters);
        const auto model = model::shape_model(name.toStdString());
        QVERIFY(model.has_value());
        QCOMPARE(qint64{model->parameters}, parameters);
    }

    void weights_are_moderate_and_the_same_each_time() {
        const auto model = model::shape_model("gpt2-small");
        const auto again = model::shape_model("gpt2-small");
        const auto embed = model::widened(model->at(model->find("W_E")));
        QCOMPARE(embed.shape, (Shape{50257, 768}));
        double sum = 0;
        double squares = 0;
        for (const float value : embed.data) {
            sum += value;
            squares += double{value} * value;
        }
        const double count = static_cast<double>(embed.data.size());
        QVERIFY(std::abs(sum / count) < 1e-4);
        QVERIFY(std::abs(std::sqrt(squares / count) - 0.02) < 1e-4);
        QVERIFY(embed.data == model::widened(again->at(again->find("W_E"))).data);
        QVERIFY(embed.data != model::widened(model->at(model->find("blocks.0.attn.W_Q"))).data);
        const auto norm = model::widened(model->at(model->find("ln_final.w")));
        QVERIFY(norm.data == std::vector<float>(768, 1.0F));
    }

    void the_unembedding_is_tied() {
        const auto model = model::shape_model("gpt2-small");
        const auto& embed = model->at(model->find("W_E"));
        const auto& unembed = model->at(model->find("unembed.W_U"));
        QCOMPARE(unembed.data, embed.data);
        QCOMPARE(unembed.rows, embed.cols);
        QCOMPARE(unembed.col_stride, embed.row_stride);
    }

    void an_unknown_shape_is_refused() {
        const auto model = model::shape_model("gpt5");
        QVERIFY(!model);
        QCOMPARE(model.error().code, Code::not_found);
        QVERIFY(model.error().message.find("gpt2-small") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestShapes)
#include "test_shapes.moc"
