#pragma once
#include "app/window/panel_page.h"
#include "views/cause/pair_panel.h"

namespace vitrine::window {

/// Which parts of the model cause a behaviour: two prompts and their answers above, the map of effects below
/// with its control, beside it what each head's loss does and how far the strongest heads alone do as well.
class CausePage : public PanelPage {
    Q_OBJECT

public:
    CausePage(Bench& bench, views::Desk& desk, Runner& runner, QWidget* parent = nullptr);

    views::PairPanel& pair() { return *pair_; }
    /// Runs every picture on what stands in the panel. The main one is a step of the session.
    void measure();

    Json arrangement() const override;
    void arrange(const Json& arrangement) override;

protected:
    void showEvent(QShowEvent* event) override;

private:
    void take_model();
    void take_behaviour(const QString& name);
    void take_pair();
    void strongest_as_circuit();

    Bench& cause_bench_;
    Runner& cause_runner_;
    views::PairPanel* pair_;
    std::string known_model_; ///< whose behaviours are listed
    Json remembered_;         ///< of a session, until the model is there
    Json own_circuit_;        ///< that the page put into the form
};

} // namespace vitrine::window
