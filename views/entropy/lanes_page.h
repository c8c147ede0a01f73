#pragma once
// What a model's numbers do while it writes: the main panel of the Entropy page.
#include <QWidget>
#include <memory>

#include "views/analyses/analysis_form.h"
#include "views/entropy/branch_tree.h"
#include "views/entropy/live_lanes.h"
#include "views/entropy/step_alternatives.h"
#include "views/figure/lanes.h"
#include "views/shared/empty_state.h"
#include "views/shared/figure_canvas.h"

class QLabel;
class QPushButton;
class QSplitter;
class QStackedWidget;
class QToolButton;

namespace vitrine::views {

/// Lanes; beside them where there is room, else beneath, the tree of branches and, for the step that was
/// clicked, the tokens that could have stood there. Several rows of the tree selected: their lanes lie over
/// each other. What is shown is given to it; what is wanted it says.
class LanesPage : public QWidget {
    Q_OBJECT

public:
    explicit LanesPage(Desk& desk, QWidget* parent = nullptr);

    /// The form of the settings, and what the title explains.
    void show_manifest(const Json& manifest, const QString& summary);
    AnalysisForm& form() { return *form_; }
    FigureCanvas* canvas() const { return canvas_; }
    BranchTree& tree() { return *tree_; }
    StepAlternatives& alternatives() { return *alternatives_; }

    void say(const QString& sentence, const QString& button = {});
    void show_lanes(std::shared_ptr<figure::Lanes> lanes, const FigureSource& source);
    /// The lanes on the canvas; nullptr: words stand in their place.
    std::shared_ptr<const figure::Lanes> lanes() const;
    void show_branches(const std::vector<Branch>& branches, const std::vector<std::int64_t>& selected);

    /// The first minus the second of two texts.
    bool difference() const;
    void set_difference(bool on);
    void allow_difference(bool allowed);

signals:
    void generate_wanted();
    void button_pressed(); ///< that of the words in the lanes' place
    void settings_changed();
    void difference_changed();
    void step_clicked(int step);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void build();
    void connect_parts();
    void arrange();

    Desk& desk_;
    QLabel* title_;
    QPushButton* generate_;
    QPushButton* export_;
    QToolButton* difference_;
    QToolButton* settings_;
    AnalysisForm* form_;
    QSplitter* parts_; ///< lanes, and what is beside or beneath
    QSplitter* below_;
    QStackedWidget* place_;
    FigureCanvas* canvas_;
    EmptyState* empty_;
    BranchTree* tree_;
    StepAlternatives* alternatives_;
};

} // namespace vitrine::views
