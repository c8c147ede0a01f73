// Runs and steps shown again, sessions opened and closed.
#include <QCloseEvent>
#include <QDockWidget>
#include <QFileDialog>
#include <QSettings>
#include <QTabWidget>

#include "app/window/main_window.h"
#include "app/window/view_state.h"

namespace vitrine::window {

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

} // namespace vitrine::window
