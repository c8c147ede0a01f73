// The page Cause on the default model: a behaviour is chosen and measured, and what the model card says of
// its heads is what the pictures show.
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <cmath>

#include "app/window/main_window.h"
#include "tests/views/window_under_test.h"
#include "views/cause/effect_pictures.h"
#include "views/figure/column.h"
#include "views/figure/curves.h"
#include "views/figure/heatmap.h"

using namespace vitrine;
using namespace vitrine::window;
using vitrine::test::in_folder;
using vitrine::test::patience_ms;

namespace {

const engine::ResultValue& result(const engine::AnalysisRecord& record, const char* name) {
    const auto found = std::find_if(record.results.begin(), record.results.end(),
                                    [&](const engine::ResultValue& one) { return one.name == name; });
    if (found == record.results.end()) qFatal("%s is no result", name);
    return *found;
}

const figure::Heatmap& map_of(AnalysisPage& page, std::size_t part) {
    const auto column = std::dynamic_pointer_cast<figure::Column>(page.canvas()->picture());
    if (!column || column->parts.size() <= part) qFatal("no such picture");
    const auto* map = dynamic_cast<const figure::Heatmap*>(column->parts[part].get());
    if (map == nullptr) qFatal("no map");
    return *map;
}

} // namespace

class TestWindowCause : public QObject {
    Q_OBJECT

private slots:
    void a_behaviour_is_measured() {
        const QTemporaryDir folder;
        {
            MainWindow window(in_folder(folder));
            window.show();
            QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
            window.show_page("Cause");
            views::PairPanel& pair = window.cause().pair();
            QCOMPARE(pair.behaviour(), QString("ioi-tiny")); // the model's own sets come first
            QVERIFY(pair.pairs() > 100);
            QVERIFY(!pair.pair().corrupted.isEmpty() && pair.pair().answer.startsWith(' '));

            QSignalSpy circuit(window.cause().beside(1), &AnalysisPage::finished);
            window.cause().measure();
            QTRY_VERIFY_WITH_TIMEOUT(circuit.count() > 0 && window.idle(), patience_ms);
            const engine::AnalysisRecord* patch = window.cause().main()->shown();
            QVERIFY(patch && patch->id == "patch" && patch->step > 0);
            // Restoring the token that differs, where it comes in, restores everything.
            const engine::ResultValue& effect = result(*patch, "effect");
            const double clean = result(*patch, "clean").data.front();
            const auto positions = static_cast<std::ptrdiff_t>(effect.axes.back().size);
            QVERIFY(clean > 1 && std::find(effect.data.begin(), effect.data.begin() + positions, clean) !=
                                     effect.data.begin() + positions);
            // Effect and control share one scale around the corrupted run.
            const figure::Heatmap& map = map_of(*window.cause().main(), 0);
            const figure::Heatmap& control = map_of(*window.cause().main(), 1);
            QCOMPARE(map.style.scale.max, control.style.scale.max);
            QVERIFY(std::abs((map.style.scale.min + map.style.scale.max) / 2 -
                             result(*patch, "corrupted").data.front()) < 1e-9);
            // The circuit is made of heads whose loss costs the answer.
            const auto curves =
                std::dynamic_pointer_cast<figure::Curves>(window.cause().beside(1)->canvas()->picture());
            QVERIFY(curves && curves->lines.size() == 3);
            const auto names = views::strongest(window.cause().beside(0)->shown()->results, "logit-diff", 3);
            QCOMPARE(names.size(), std::size_t{3});
            QVERIFY(dump_json(window.cause().beside(1)->shown()->parameters).find(names[0]) !=
                    std::string::npos);
            window.close();
        }
        // What was chosen is there again.
        MainWindow again(in_folder(folder));
        again.show();
        QTRY_VERIFY_WITH_TIMEOUT(again.idle() && again.desk().a(), patience_ms);
        again.show_page("Cause");
        QCOMPARE(again.cause().pair().behaviour(), QString("ioi-tiny"));
    }

    void prompts_of_ones_own_are_told_what_is_wrong() {
        const QTemporaryDir folder;
        MainWindow window(in_folder(folder));
        window.show();
        QTRY_VERIFY_WITH_TIMEOUT(window.idle() && window.desk().a(), patience_ms);
        window.show_page("Cause");
        views::PairPanel& pair = window.cause().pair();
        pair.choose({});
        const auto words = [&] {
            QStringList out;
            for (const QLabel* label : pair.findChildren<QLabel*>())
                if (label->isVisible()) out << label->text();
            return out.join(' ');
        };
        const auto can_measure = [&] {
            for (const QPushButton* button : pair.findChildren<QPushButton*>())
                if (button->text() == "Measure") return button->isEnabled();
            return false;
        };
        pair.set_pair({"The captain looked at the", "The man looked at the", " sea", " fire"});
        QVERIFY2(words().contains("patching needs equally many"), qPrintable(words()));
        QVERIFY(!can_measure());
        pair.set_pair({"The old man looked at the", "The old man went to the", " unheard-of", ""});
        QVERIFY2(words().contains("unheard"), qPrintable(words()));
        QVERIFY(!can_measure());
        pair.set_pair({"The captain looked at the", "The captain went to the", " sea", " fire"});
        QVERIFY2(can_measure(), qPrintable(words()));
        QVERIFY(words().contains("tokens differ"));
    }
};

QTEST_MAIN(TestWindowCause)
#include "test_window_cause.moc"
