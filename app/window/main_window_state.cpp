// What the window remembers, and how it shows it again: sessions, steps, figures dropped on it.
#include <QCloseEvent>
#include <QDateTime>
#include <QDir>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMimeData>
#include <QSettings>
#include <QTabWidget>

#include "app/window/exporter.h"
#include "app/window/main_window.h"
#include "core/formats/gguf.h"
#include "views/attention/find_heads.h"
#include "views/figure/provenance.h"

namespace vitrine::window {

namespace {

const Json& part(const Json& json, const char* name) {
    static const Json none;
    const auto found = json.is_object() ? json.find(name) : json.end();
    return json.is_object() && found != json.end() ? *found : none;
}

QString text_in(const Json& json, const char* name) {
    const Json& found = part(json, name);
    return found.is_string() ? QString::fromStdString(found.get<std::string>()) : QString();
}

std::int64_t number_in(const Json& json, const char* name) {
    const Json& found = part(json, name);
    return found.is_number_integer() ? found.get<std::int64_t>() : 0;
}

QStringList texts_in(const Json& json) {
    QStringList out;
    if (json.is_array())
        for (const Json& text : json)
            if (text.is_string()) out << QString::fromStdString(text.get<std::string>());
    return out;
}

Json json_of(const QStringList& texts) {
    Json out = Json::array();
    for (const QString& text : texts)
        out.push_back(text.toStdString());
    return out;
}

std::vector<std::int32_t> ids_of(const views::ShownRun& run) {
    std::vector<std::int32_t> ids;
    for (const figure::Token& token : run.tokens)
        ids.push_back(token.id);
    return ids;
}

std::vector<std::int32_t> ids_in(const Json& json) {
    std::vector<std::int32_t> ids;
    if (json.is_array())
        for (const Json& id : json)
            if (id.is_number_integer()) ids.push_back(id.get<std::int32_t>());
    return ids;
}

TextForm form_in(const Json& state) {
    const Json& chat = part(state, "chat");
    TextForm form;
    form.chat = chat.is_boolean() && chat.get<bool>();
    form.specials = static_cast<tokenizer::Specials>(std::clamp<std::int64_t>(
        number_in(state, "specials"), 0, static_cast<int>(tokenizer::Specials::none)));
    return form;
}

std::vector<views::Edit> edits_in(const Json& json) {
    std::vector<views::Edit> out;
    if (json.is_array())
        for (const Json& edit : json) {
            const Json& on = part(edit, "on");
            if (const QString text = text_in(edit, "text"); !text.isEmpty())
                out.push_back({text, !on.is_boolean() || on.get<bool>()});
        }
    return out;
}

} // namespace

// ---- the first look ----

void MainWindow::first_run() {
    if (!fresh_) return;
    fresh_ = false;
    if (const auto found = views::find_telling_head(*desk_.a())) desk_.selection.set(found->place);
    doors_bar_->show_doors();
}

// ---- what is on the screen ----

Json MainWindow::view() const {
    const views::Place& place = desk_.selection.place();
    Json out{
        {"prompt", runner_->text().toStdString()},
        {"specials", static_cast<int>(runner_->form().specials)},
        {"chat", runner_->form().chat},
        {"page", page().toStdString()},
        {"place", {{"layer", place.layer}, {"head", place.head}, {"query", place.query}, {"key", place.key}}},
        {"side", static_cast<int>(desk_.side())},
        {"attention", attention_->state()},
        {"heads", heads_->state()},
        {"training", training_->state()}};
    for (const views::Edit& edit : desk_.edits.all())
        out["edits"].push_back({{"text", edit.text.toStdString()}, {"on", edit.on}});
    for (const auto& [layer, head] : desk_.heads.all())
        out["set"].push_back({layer, head});
    for (const auto& [name, page] : analyses_)
        out["pages"][name.toStdString()] = page->state();
    out["lanes"] = lanes_->state();
    out["pins"] = pins_->state();
    for (const auto& [name, page] : panels_)
        out["panels"][name.toStdString()] = page->arrangement();
    if (const views::RunPtr& pinned = desk_.pinned())
        out["pinned"] = {{"prompt", pinned->prompt.toStdString()},
                         {"ids", ids_of(*pinned)},
                         {"edits", json_of(pinned->edits)},
                         {"step", pinned->step}};
    const views::RunPtr& run = desk_.b_is_edited() ? desk_.b() : desk_.a();
    if (run && run->prompt == runner_->text() && run->edits == desk_.edits.active()) out["step"] = run->step;
    if (bench_.model()) {
        const engine::ModelRequest& request = bench_.model()->request;
        out["model"] = {{"name", request.name},
                        {"device", request.device},
                        {"precision", backend::name_of(request.precision)}};
    }
    return out;
}

void MainWindow::remember() {
    if (!restored_ || !pending_.is_null()) return;
    Json state = view();
    state["docks"] = saveState().toBase64().toStdString();
    state["doors"] = !doors_bar_->isHidden();
    keeper_->remember(state);
}

void MainWindow::apply_view(const Json& state) {
    pending_ = state; // selection, side and B wait for the run
    attention_->restore(part(state, "attention"));
    heads_->restore(part(state, "heads"));
    training_->restore(part(state, "training"));
    for (const auto& [name, page] : analyses_)
        page->restore(part(part(state, "pages"), name.toUtf8().constData()));
    lanes_->restore(part(state, "lanes"));
    pins_->restore(part(state, "pins"));
    for (const auto& [name, page] : panels_)
        page->arrange(part(part(state, "panels"), name.toUtf8().constData()));
    show_page(text_in(state, "page"));
    const QString prompt = text_in(state, "prompt");
    const std::int64_t step = number_in(state, "step");
    desk_.edits.set_all({}); // of another prompt, perhaps
    prompt_->set_text(prompt);
    runner_->set_form(form_in(state));
    const std::vector<views::Edit> edits = edits_in(part(state, "edits"));
    QStringList active;
    for (const views::Edit& edit : edits)
        if (edit.on) active << edit.text;
    // An edit that reads the pinned run waits for it.
    const bool reads_pinned = active.join(QLatin1Char('\n')).contains(QStringLiteral("from row=1"));
    if (!reads_pinned) desk_.edits.set_all(edits);
    if (step != 0 && !reads_pinned)
        runner_->show_recorded(prompt, active, step);
    else
        runner_->set_text(prompt);
}

void MainWindow::apply_pending() {
    if (pending_.is_null()) return;
    const Json& pinned = part(pending_, "pinned");
    if (pinned.is_object() && !desk_.pinned()) {
        // Once more when B is there.
        connect(
            &desk_, &views::Desk::run_changed, this,
            [this] {
                if (desk_.pinned()) apply_pending();
            },
            Qt::SingleShotConnection);
        runner_->pin_as_b(text_in(pinned, "prompt"), ids_in(part(pinned, "ids")),
                          texts_in(part(pinned, "edits")), number_in(pinned, "step"));
        return;
    }
    const Json state = std::exchange(pending_, Json());
    desk_.edits.set_all(edits_in(part(state, "edits")));
    std::vector<views::HeadSet::Head> set;
    if (const Json& heads = part(state, "set"); heads.is_array())
        for (const Json& head : heads)
            if (head.is_array() && head.size() == 2 && head[0].is_number_integer() &&
                head[1].is_number_integer() && desk_.a() && head[0] >= 0 && head[0] < desk_.a()->layers &&
                head[1] >= 0 && head[1] < desk_.a()->heads)
                set.emplace_back(head[0].get<int>(), head[1].get<int>());
    desk_.heads.set_all(std::move(set));
    const Json& place = part(state, "place");
    if (place.is_object())
        desk_.selection.set(
            {static_cast<int>(number_in(place, "layer")), static_cast<int>(number_in(place, "head")),
             static_cast<int>(number_in(place, "query")), static_cast<int>(number_in(place, "key"))});
    const auto side = static_cast<views::Side>(std::clamp<std::int64_t>(number_in(state, "side"), 0, 2));
    if (desk_.b() || side == views::Side::a) desk_.set_side(side);
}

void MainWindow::restore(const Json& state) {
    runs_dock_->setWindowTitle(keeper_->is_open() ? tr("Runs") : tr("Runs: not recorded"));
    session_page_->show_folder(QString::fromStdString(keeper_->folder().string()));
    const bool first = !restored_;
    const Preferences preferences = Preferences::load();
    engine::ModelRequest request = options_.model;
    request.threads = preferences.threads;
    if (!options_.model_given) {
        request.device = preferences.device.toStdString();
        request.precision = preferences.precision;
    }
    fresh_ = !state.is_object();
    if (fresh_) {
        prompt_->set_text(Doors::example_prompt());
        runner_->set_text(Doors::example_prompt());
    } else {
        restoreState(QByteArray::fromBase64(text_in(state, "docks").toLatin1()));
        const Json& doors = part(state, "doors");
        doors_bar_->setVisible(doors.is_boolean() && doors.get<bool>());
        const Json& model = part(state, "model");
        if (!options_.model_given && model.is_object()) {
            request.name = text_in(model, "name").toStdString();
            request.device = text_in(model, "device").toStdString();
            request.precision = text_in(model, "precision") == QLatin1String("mixed")
                                    ? backend::Precision::mixed
                                    : backend::Precision::exact;
        }
        apply_view(state);
    }
    top_->set_request(request);
    if (first || !bench_.model()) bench_.open_model(request);
    setWindowTitle(tr("%1 – Vitrine").arg(QString::fromStdString(options_.session.stem().string())));
    restored_ = true;
    lanes_->generations().reload();
}

// ---- runs and steps ----

void MainWindow::pin_current_as_b() {
    if (!desk_.a()) return;
    desk_.set_pinned(desk_.side() == views::Side::b && desk_.b() ? desk_.b() : desk_.a());
    status_->say(desk_.b_is_edited() ? tr("Pinned. While interventions are on, B is the edited run.")
                                     : tr("This run is B now. Edit the prompt, then press A − B."));
}

void MainWindow::restore_step(std::int64_t step) {
    const views::RunEntry* entry = keeper_->entry(step);
    if (!entry) return;
    const views::RunEntry kept = *entry; // the list may be read anew meanwhile
    prompt_->set_text(kept.prompt);
    const TextForm form{false, kept.spelled ? tokenizer::Specials::none : tokenizer::Specials::by_template};
    const bool is_run = kept.kind == QLatin1String("run") && kept.status == QLatin1String("done");
    const bool patched = kept.edits.join(QLatin1Char('\n')).contains(QStringLiteral("from row=1"));
    if (patched) {
        Json edits = Json::array();
        for (const QString& text : kept.edits)
            edits.push_back({{"text", text.toStdString()}, {"on", true}});
        desk_.set_pinned(nullptr);
        apply_view({{"prompt", kept.prompt.toStdString()},
                    {"page", page().toStdString()},
                    {"specials", static_cast<int>(form.specials)},
                    {"edits", edits},
                    {"side", static_cast<int>(views::Side::b)},
                    {"attention", attention_->state()},
                    {"pinned", {{"prompt", kept.beside.toStdString()}, {"edits", Json::array()}}}});
    } else {
        runner_->set_form(form);
        runner_->show_recorded(kept.prompt, kept.edits, is_run ? step : 0);
    }
    if (kept.kind == QLatin1String("generate") && kept.status == QLatin1String("done"))
        keeper_->read_generated(step, [this, kept](const std::vector<std::int32_t>& ids) {
            if (ids.empty() || runner_->text() != kept.prompt || !bench_.model() ||
                !bench_.model()->tokenizer)
                return;
            const QString text = QString::fromStdString(bench_.model()->tokenizer->decode(ids, true));
            prompt_->set_text(text);
            runner_->show_recorded(text, kept.edits, 0);
            status_->say(tr("The prompt and what was generated from it."));
        });
    if (kept.kind == QLatin1String("generate")) lanes_->show_generations({step});
    if (kept.kind != QLatin1String("analyze")) return;
    show_page(tr("Analyses"));
    AnalysisPage* analyses = analysis_page(tr("Analyses"));
    connect(
        runner_, &Runner::arrived, analyses,
        [analyses, kept] { analyses->show_again(kept.analysis, kept.parameters); }, Qt::SingleShotConnection);
}

void MainWindow::compare_step(std::int64_t step) {
    if (const views::RunEntry* entry = keeper_->entry(step))
        runner_->pin_as_b(entry->prompt, entry->ids, entry->edits, step);
}

void MainWindow::show_timeline() {
    runs_->show_entries(keeper_->entries());
    std::vector<views::TimelineStep> steps;
    const auto& entries = keeper_->entries();
    for (std::size_t i = entries.size(); i-- > 0;) {
        const views::RunEntry& entry = entries[i];
        steps.push_back({entry.step, entry.started, entry.analysis.isEmpty() ? entry.kind : entry.analysis,
                         entry.prompt, entry.status, entry.took, entry.device, entry.details});
    }
    session_page_->show_steps(steps);
}

// ---- sessions ----

void MainWindow::connect_session() {
    connect(runner_, &Runner::recorded, keeper_, &SessionKeeper::refresh);
    connect(runner_, &Runner::recorded, this, &MainWindow::remember);
    connect(keeper_, &SessionKeeper::entries_changed, this, &MainWindow::show_timeline);
    connect(keeper_, &SessionKeeper::opened, this, &MainWindow::restore);
    connect(keeper_, &SessionKeeper::notes_read, session_page_, &views::SessionPage::set_notes);
    connect(keeper_, &SessionKeeper::refused, this, [this](const QString& sentence) {
        status_->say(sentence);
        if (!keeper_->is_open()) { // the window works all the same, and says that it forgets
            runs_dock_->setWindowTitle(tr("Runs: not recorded"));
            runs_dock_->setToolTip(sentence);
            session_page_->say(sentence);
        }
        if (!restored_) restore(Json());
    });
    connect(runs_, &views::RunsList::restore_wanted, this, &MainWindow::restore_step);
    connect(runs_, &views::RunsList::compare_wanted, this, &MainWindow::compare_step);
    connect(runs_, &views::RunsList::step_wanted, this, [this](std::int64_t step) {
        show_page(tr("Session"));
        session_page_->select_step(step);
    });
    connect(session_page_, &views::SessionPage::restore_wanted, this, [this](std::int64_t step) {
        show_page(tr("Attention"));
        restore_step(step);
    });
    connect(session_page_, &views::SessionPage::notes_changed, this,
            [this] { keeper_->remember_notes(session_page_->notes()); });
    connect(session_page_, &views::SessionPage::open_wanted, this, &MainWindow::choose_session);
    connect(session_actions_, &SessionActions::imported, this, &MainWindow::open_session);
}

void MainWindow::choose_session() {
    const QString folder = QFileDialog::getExistingDirectory(
        this, tr("Open a session, or choose an empty folder for a new one"));
    if (!folder.isEmpty()) open_session(folder.toStdString());
}

void MainWindow::open_session(const std::filesystem::path& folder) {
    keeper_->flush();
    options_.session = folder;
    QSettings().setValue(QStringLiteral("session"), QString::fromStdString(folder.string()));
    desk_.set_pinned(nullptr);
    keeper_->open(folder);
}

SettingsDialog* MainWindow::show_settings() {
    auto* dialog = new SettingsDialog(Preferences::load(), top_->devices(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &SettingsDialog::changed, this, [this](const Preferences& preferences) {
        preferences.save();
        appearance_->set_amounts(preferences.amounts);
        appearance_->set_scheme(preferences.scheme);
    });
    dialog->open();
    return dialog;
}

void MainWindow::closeEvent(QCloseEvent* event) {
    remember();
    keeper_->flush();
    event->accept();
}

// ---- figures out and in ----

void MainWindow::export_canvas(views::FigureCanvas* canvas) {
    if (!canvas) return;
    // What leaves the program is a step of the session.
    runner_->commit();
    if (attention_->isAncestorOf(canvas)) measures_->record_shown();
    if (heads_->isAncestorOf(canvas)) heads_feed_->record_shown();
    if (training_->isAncestorOf(canvas)) training_->record_shown();
    if (lanes_->isAncestorOf(canvas)) lanes_->record_shown();
    for (const auto& [name, page] : analyses_)
        if (page->isAncestorOf(canvas)) page->record_shown();
    export_with_dialog(this, bench_, canvas, view(), [this](const QString& said) { status_->say(said); });
}

void MainWindow::open_figure(const std::filesystem::path& file) {
    const auto provenance = figure::read_provenance(file);
    if (!provenance) {
        status_->say(QString::fromStdString(provenance.error().message));
        return;
    }
    Json state = part(*provenance, "view");
    if (!state.is_object()) { // drawn by the command line: the same analysis on the same tokens
        const Json& rows = part(*provenance, "ids");
        const Json& ids = rows.is_array() && !rows.empty() && rows.front().is_array() ? rows.front() : rows;
        std::vector<std::int32_t> tokens;
        if (ids.is_array())
            for (const Json& id : ids)
                if (id.is_number_integer()) tokens.push_back(id.get<std::int32_t>());
        if (tokens.empty() || !bench_.model() || !bench_.model()->tokenizer) {
            status_->say(tr("%1 names no text that could be shown.")
                             .arg(QString::fromStdString(file.filename().string())));
            return;
        }
        state = {
            {"prompt", bench_.model()->tokenizer->decode(tokens, true)},
            {"page", tr("Analyses").toStdString()},
            {"pages",
             {{tr("Analyses").toStdString(),
               {{"analysis", part(*provenance, "analysis")}, {"values", part(*provenance, "parameters")}}}}}};
        connect(
            runner_, &Runner::arrived, this, [this] { analysis_page(tr("Analyses"))->run(false); },
            Qt::SingleShotConnection);
    } else if (text_in(state, "page") == tr("Analyses")) {
        connect(
            runner_, &Runner::arrived, this, [this] { analysis_page(tr("Analyses"))->run(false); },
            Qt::SingleShotConnection);
    }
    desk_.set_pinned(nullptr);
    apply_view(state);
    const QString weights = text_in(*provenance, "weights_hash");
    const bool same = bench_.model() && weights == QString::fromStdString(bench_.model()->model.weights_hash);
    status_->say(
        same ? tr("Shown as in %1.").arg(QString::fromStdString(file.filename().string()))
             : tr("%1 was made with other weights (model %2): open that model to see its numbers.")
                   .arg(QString::fromStdString(file.filename().string()), text_in(*provenance, "model")));
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
    for (const QUrl& url : event->mimeData()->urls()) {
        const QFileInfo dropped(url.toLocalFile());
        if (!url.isLocalFile() || !dropped.exists()) continue;
        event->acceptProposedAction();
        const bool is_model = dropped.isFile() && formats::is_gguf(dropped.filePath().toStdString());
        if (dropped.isFile() && dropped.suffix().toLower() == QLatin1String("zip")) {
            // Beside the zip, in a folder that is not there yet.
            QString folder = dropped.dir().filePath(dropped.completeBaseName() + QStringLiteral(".vitrine"));
            for (int number = 2; QFileInfo::exists(folder); ++number)
                folder = dropped.dir().filePath(
                    QStringLiteral("%1-%2.vitrine").arg(dropped.completeBaseName()).arg(number));
            session_actions_->import_from(dropped.filePath().toStdString(), folder.toStdString());
        } else if (!dropped.isDir() && !is_model) {
            open_figure(dropped.filePath().toStdString());
        } else if (!is_model && QDir(dropped.filePath()).exists(QStringLiteral("session.sqlite"))) {
            open_session(dropped.filePath().toStdString());
        } else {
            engine::ModelRequest request = top_->request();
            request.name = dropped.filePath().toStdString();
            bench_.open_model(request);
        }
        return;
    }
}

} // namespace vitrine::window
