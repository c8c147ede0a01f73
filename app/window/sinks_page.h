#pragma once
#include "app/window/panel_page.h"

namespace vitrine::figure {
class WhatIf;
}

namespace vitrine::window {

/// Where heads sink, at the selected key; beside it what becomes of loss, next token and text if the sink
/// were not there, each change switched by a click, and the norms that a sink is made of.
class SinksPage : public PanelPage {
    Q_OBJECT

public:
    SinksPage(Bench& bench, views::Desk& desk, Runner& runner, QWidget* parent = nullptr);

    /// Makes a change of the list, or takes it back; its name is the analysis' ("zero-value").
    void switch_change(const QString& name);
    /// Names and words of the changes that can be switched now, for the palette.
    std::vector<std::pair<QString, QString>> changes() const;

private:
    std::shared_ptr<figure::WhatIf> what_if() const; ///< the picture shown; nullptr: none is there yet
    void follow_key();
    void follow_edits();

    views::Desk& sinks_desk_;
    int key_ = -1; ///< that the panels follow
};

} // namespace vitrine::window
