#pragma once
// The main panel of the Entropy page: what was generated, as lanes over its steps, with its branches.
#include <QTimer>
#include <QWidget>

#include "app/window/generations.h"
#include "app/window/runner.h"
#include "views/analyses/analysis_form.h"
#include "views/figure/lanes.h"
#include "views/shared/empty_state.h"
#include "views/shared/figure_canvas.h"

class QLabel;
class QListWidget;
class QPushButton;
class QSplitter;
class QStackedWidget;
class QToolButton;
class QTreeWidget;
class QTreeWidgetItem;

namespace vitrine::window {

/// Lanes above; beneath them the tree of branches and, for the step that was clicked, the tokens that could
/// have stood there. Choosing one continues from there. Several rows of the tree selected: their lanes lie
/// over each other.
class LanesPage : public QWidget {
    Q_OBJECT

public:
    LanesPage(Bench& bench, views::Desk& desk, Runner& runner, QWidget* parent = nullptr);

    Generations& generations() { return generations_; }
    views::FigureCanvas* canvas() const { return canvas_; }
    void set_manifests(const Json& manifests);
    /// Shows these; the first is the one that branches leave from.
    void show_generations(const std::vector<std::int64_t>& steps);
    std::vector<std::int64_t> shown() const { return shown_; }
    /// The lanes on the canvas; nullptr: none.
    std::shared_ptr<const figure::Lanes> lanes() const;
    void select_step(int step);
    int step() const { return step_; }
    /// What could have stood at the selected step: ids with probabilities, most likely first.
    const std::vector<run::Alternative>& alternatives() const { return alternatives_; }
    /// Continues from the selected step with another token.
    void branch_with(std::int32_t id);
    void set_difference(bool on);

    /// Becomes a step of the session: it is about to be exported.
    void record_shown();
    Json state() const;
    void restore(const Json& state);

signals:
    void state_changed();
    void recorded();
    void finished(); ///< other lanes are shown, or words in their place

protected:
    void showEvent(QShowEvent* event) override;

private:
    void build();
    void connect_parts();
    void take_sampling();
    Result<Json> parameters() const; ///< checked, all of them
    Json lane_values(const Generation& of) const;
    void ask();
    void compute(const Generation& of, bool record);
    std::string key_of(const Generation& of) const;
    void draw();
    void draw_live(const run::GenerateStep& step);
    void begin_live(int first);
    void show_tree();
    QTreeWidgetItem* item_of(const Generation& of) const;
    void tree_selected();
    void show_alternatives();
    QString token(std::int32_t id) const;
    QString text_of(const std::vector<std::int32_t>& ids, std::size_t from) const;
    QString name_of(const Generation& of) const;
    QString command_of(const Generation& of) const;
    void say(const QString& sentence, const QString& button = {});

    Bench& bench_;
    views::Desk& desk_;
    Runner& runner_;
    Generations generations_;
    Json manifest_;
    Json pending_; ///< a state that came before the manifests
    std::vector<std::int64_t> shown_;
    std::vector<std::int64_t> wanted_; ///< that a session remembers, until they are there
    std::map<std::string, engine::AnalysisRecord> records_;
    int step_ = -1;
    std::vector<run::Alternative> alternatives_;
    std::vector<engine::ResultValue> live_; ///< of a generation on its way
    bool is_live_ = false;

    QLabel* title_;
    QPushButton* generate_;
    QToolButton* difference_;
    QToolButton* settings_;
    views::AnalysisForm* form_;
    QSplitter* down_;
    QSplitter* below_;
    QStackedWidget* place_;
    views::FigureCanvas* canvas_;
    views::EmptyState* empty_;
    QTreeWidget* tree_;
    QLabel* others_title_;
    QListWidget* others_;
};

} // namespace vitrine::window
