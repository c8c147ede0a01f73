#include "app/window/heads_feed.h"

#include <QEvent>

#include "app/window/edit_texts.h"
#include "app/window/prompt_sets.h"
#include "app/window/side_analysis.h"
#include "views/analyses/difference.h"

namespace vitrine::window {

namespace {

constexpr int heads_rest_ms = 250; ///< the page follows once typing rests so long
constexpr const char* metrics_id = "head-metrics";

using Rows = views::HeadsPage::Rows;

} // namespace

HeadsFeed::HeadsFeed(Bench& bench, views::Desk& desk, Runner& runner, views::HeadsPage& page, QObject* parent)
    : QObject(parent), bench_(bench), desk_(desk), runner_(runner), page_(page) {
    rest_.setSingleShot(true);
    rest_.setInterval(heads_rest_ms);
    connect(&rest_, &QTimer::timeout, this, &HeadsFeed::follow);
    connect(&desk_, &views::Desk::run_changed, &rest_, qOverload<>(&QTimer::start));
    connect(&page_, &views::HeadsPage::wanted, this, &HeadsFeed::follow);
    connect(&bench_, &Bench::cancelled, this, [this](engine::JobId id) {
        if (job_ == 0 || (id != 0 && id != job_)) return;
        job_ = 0;
        page_.refuse(tr("Stopped before it was done."), tr("Measure again"));
    });
    connect(&page_, &views::HeadsPage::again_wanted, this, [this] { ask(false); });
    page_.show_sets(shipped_prompt_sets());
    page_.installEventFilter(this);
}

bool HeadsFeed::eventFilter(QObject* watched, QEvent* event) {
    if (watched == &page_ && event->type() == QEvent::Show) rest_.start(0);
    return QObject::eventFilter(watched, event);
}

std::string HeadsFeed::key() const {
    Json out{{"rows", static_cast<int>(page_.rows())}, {"file", page_.file().toStdString()}};
    for (const AnalysedSide& side : analysed_sides(desk_)) {
        Json edits = Json::array();
        for (const QString& edit : side.edits)
            edits.push_back(edit.toStdString());
        const bool of_prompt = page_.rows() == Rows::prompt;
        out["sides"].push_back(
            {{"ids", of_prompt ? Json(side.row.ids) : Json()}, {"edits", std::move(edits)}});
    }
    if (bench_.model()) out["weights"] = bench_.model()->model.weights_hash;
    return dump_json(out);
}

void HeadsFeed::follow() {
    if (page_.isVisible() && !desk_.stale() && key() != shown_key_) ask(false);
}

void HeadsFeed::ask(bool record) {
    const auto model = bench_.model();
    auto sides = analysed_sides(desk_);
    if (!model || sides.empty()) return;
    const Rows kind = page_.rows();
    const std::string file = kind == Rows::file ? page_.file().toStdString() : std::string();
    if (kind != Rows::prompt)
        for (AnalysedSide& side : sides)
            side.row = {};
    QString options;
    const Json values = page_.values();
    for (const auto& [name, value] : values.items())
        options += QStringLiteral(" --set ") +
                   views::shell_word(QString::fromStdString(name + "=" + value.get<std::string>()));
    if (!file.empty())
        options += QStringLiteral(" --prompts ") + views::shell_word(QString::fromStdString(file));
    const QString command = command_of_sides(*model, sides, QLatin1String(metrics_id), options);
    if (!record) shown_key_ = key();
    const engine::JobId job = bench_.post(
        this, record ? "record heads" : "heads", std::string("analysis ") + metrics_id,
        [=, specials = runner_.specials()](engine::Engine& engine, const CancelToken& cancel,
                                           const Progress& progress) -> Result<engine::AnalysisRecord> {
            std::vector<engine::AnalysisRecord> records;
            for (const AnalysedSide& side : sides) {
                std::vector<run::RunRow> rows;
                if (!side.row.ids.empty()) rows.push_back(side.row);
                if (!file.empty()) {
                    VITRINE_ASSIGN(rows, rows_of_file(*model, file, specials));
                }
                VITRINE_ASSIGN(const auto changes, changes_of(*model, side.edits, specials));
                VITRINE_ASSIGN(auto one, engine.analyze(*model, metrics_id, values, rows, cancel, progress,
                                                        record, changes));
                records.push_back(std::move(one));
            }
            if (records.size() == 1) return records.front();
            VITRINE_ASSIGN(records.front().results,
                           views::difference_of(records[0].results, records[1].results));
            records.front().provenance["minus"] = records[1].provenance;
            return records.front();
        },
        [this, command, record, file](const Result<engine::AnalysisRecord>& answer) {
            if (record) {
                emit recorded();
                return;
            }
            job_ = 0;
            if (answer) {
                Json provenance = answer->provenance;
                provenance["analysis"] = answer->id;
                provenance["parameters"] = answer->parameters;
                if (!file.empty()) provenance["prompts"] = file;
                page_.show_results(answer->results, provenance, command);
            } else {
                page_.refuse(QString::fromStdString(answer.error().message));
            }
            emit finished();
        },
        record ? engine::Priority::normal : engine::Priority::background);
    if (!record) job_ = job;
}

} // namespace vitrine::window
