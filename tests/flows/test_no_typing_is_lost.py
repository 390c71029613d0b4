"""Whatever goes wrong, what somebody typed is still on the page they get back."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TEXT = "Three paragraphs about a boiler.\nThe second one.\nThe third."


@pytest.fixture(scope="module")
def server_settings() -> dict[str, object]:
    """One connection, so that one person can use up all there are."""
    return {"pool_size": 1, "pool_max_overflow": 0, "lock_timeout_seconds": 30, "pool_timeout_seconds": 0.5}


class TestSignInEnded:
    def test_the_text_is_on_the_page_and_can_be_sent_after_signing_in_again(self, enter, stage) -> None:
        ticket = stage.ticket("Boiler")
        sam, ada = enter("sam", anew=True), enter("ada")
        sam.open(ticket)
        sam.fill("Add a comment", TEXT)
        ada.go(f"/admin/user/end-sessions/{stage.cast.users['sam']}")
        ada.press("Sign out")
        ada.sees("is signed out everywhere")
        sam.press("Comment")
        expect(sam.heading).to_have_text("Your sign-in has ended")
        expect(sam.main.locator("textarea").first).to_have_value(TEXT)
        with sam.page.context.expect_page() as opened:
            sam.follow("Sign in in a new tab")
        expect(opened.value.get_by_label("Password")).to_be_visible()
        expect(sam.main.locator("textarea").first).to_have_value(TEXT)


class TestBusy:
    def test_every_connection_taken_is_503_with_the_text_and_trying_again_works(self, enter, stage) -> None:
        held, ticket = stage.ticket("Held"), stage.ticket("Boiler")
        sid, sam = enter("sid"), enter("sam")
        sid.open(held)
        sam.open(ticket)
        sid.fill("Add a comment", "I wait.")
        sam.fill("Add a comment", TEXT)
        with stage.tickets_held():
            sid.main.get_by_role("button", name="Comment", exact=True).click(no_wait_after=True)
            sid.until(stage.somebody_waits)
            with sam.page.expect_response("**/ticket/comment/*") as answer:
                sam.press("Comment")
            assert answer.value.status == 503
            assert answer.value.headers["retry-after"]
            expect(sam.heading).to_have_text("Busy")
            expect(sam.main.locator("textarea").first).to_have_value(TEXT)
        sid.sees("Your comment")
        sam.press("Try again")
        sam.sees("Your comment", "The third.")
        expect(sam.main.locator(".desk-thread li")).to_have_count(1)


class TestMistakes:
    def test_a_wrong_field_leaves_the_others_as_they_were_typed(self, enter, stage) -> None:
        sam = enter("sam")
        sam.go("/admin/ticket/create")
        sam.fill("Customer", "nobody@desk.example")
        sam.fill("Title", "Boiler")
        sam.fill("Description", TEXT)
        sam.choose("Priority", "Critical")
        sam.press("Open ticket")
        expect(sam.main.get_by_label("Customer", exact=True)).to_be_focused()
        expect(sam.main.get_by_label("Title", exact=True)).to_have_value("Boiler")
        expect(sam.main.get_by_label("Description", exact=True)).to_have_value(TEXT)
        expect(sam.main.get_by_label("Priority", exact=True)).to_have_value("4")

    def test_leaving_a_page_with_unsent_text_asks_first(self, enter, stage) -> None:
        sam = enter("sam")
        sam.open(stage.ticket())
        sam.main.get_by_label("Add a comment").press_sequentially("Not yet sent")
        asked = []

        def stay(dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        sam.page.on("dialog", stay)
        sam.page.locator("#menu").get_by_role("link", name="Dashboard").click(no_wait_after=True)
        sam.until(lambda: asked)
        assert asked == ["beforeunload"]
        expect(sam.main.get_by_label("Add a comment")).to_have_value("Not yet sent")

    def test_another_form_of_the_page_leaves_unsent_text_where_it_is(self, enter, stage) -> None:
        sam, ticket = enter("sam"), stage.ticket()
        sam.open(ticket)
        draft = sam.main.get_by_label("Add a comment")
        for tags in ("x" * 60, "vip"):  # refused, then taken
            draft.fill(TEXT)
            sam.main.get_by_label("Internal: only the desk sees it").check()
            sam.fill("Tags, separated by commas", tags)
            sam.main.locator("#tag").get_by_role("button", name="Save").click()
            sam.sees("at most" if len(tags) > 20 else "are saved")
            expect(draft).to_have_value(TEXT)
            expect(sam.main.get_by_label("Internal: only the desk sees it")).to_be_checked()
        sam.press("Comment")
        sam.sees("Your comment", "The third.")
        expect(draft).to_have_value("")

    def test_a_file_that_is_too_large_is_told_before_it_is_sent(self, enter, stage) -> None:
        sam = enter("sam")
        sam.open(stage.ticket())
        field = sam.main.locator("#file")
        field.set_input_files({"name": "a.bin", "mimeType": "application/x", "buffer": b"x" * (10 * 1024 * 1024 + 1)})
        assert field.evaluate("field => field.validationMessage") == "This file is too large: at most 10 MB."

    def test_a_double_click_is_one_comment(self, enter, stage) -> None:
        sam = enter("sam")
        sam.open(stage.ticket())
        sam.fill("Add a comment", TEXT)
        sam.main.get_by_role("button", name="Comment", exact=True).dblclick()
        sam.sees("Your comment")
        expect(sam.main.locator(".desk-thread li")).to_have_count(1)
